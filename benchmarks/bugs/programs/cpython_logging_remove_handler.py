"""CPython 3.11, logging.Logger.callHandlers: a handler is removed while a record is handled, and the
handler after it misses the record.

Expected: assertion
Options: --stdlib --only logging,logging.*
"""

import logging
from threading import Thread

logger = logging.getLogger("shop")
records = []
first, second = logging.NullHandler(), logging.Handler()
second.emit = records.append
logger.addHandler(first)
logger.addHandler(second)
Thread(target=logger.removeHandler, args=(first,)).start()
logger.warning("out of stock")
assert len(records) == 1, "the second handler was always there, and got no record"
