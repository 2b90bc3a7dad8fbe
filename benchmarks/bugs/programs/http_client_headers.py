"""python-http-client 3.3.7, Client: two threads send a request with headers of their own, and one
request goes out with those of the other.

Expected: assertion
"""

import json
from threading import Thread
from unittest.mock import Mock

from python_http_client import Client

sent = {}
Client._make_request = lambda self, opener, request, timeout: (
    sent.update({json.loads(request.data): request.headers["User"]}) or Mock()
)
post = Client("http://mail.example").mail.post
threads = [
    Thread(target=post, kwargs={"request_body": who, "request_headers": {"User": who}}) for who in "ab"
]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert sent == {"a": "a", "b": "b"}, f"sent for whom, as whom: {sent}"
