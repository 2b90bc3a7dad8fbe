"""amqtt 0.11.3, Session.next_packet_id: two threads get the same packet id, and MQTT takes their
messages for one.

Expected: assertion
"""

from concurrent.futures import ThreadPoolExecutor

from amqtt.session import Session

session = Session()
with ThreadPoolExecutor(2) as pool:
    calls = [pool.submit(lambda: session.next_packet_id) for _ in range(2)]
ids = [call.result() for call in calls]
assert len(set(ids)) == 2, f"packet ids: {ids}"
