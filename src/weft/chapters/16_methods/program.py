"""What a thread can be asked, and what the module can be asked."""

import threading

gate = threading.Event()
thread = threading.Thread(target=gate.wait, name="porter")
print("before start:", thread.is_alive(), thread.ident)
thread.start()
print("name:", thread.name)
print("is it alive?", thread.is_alive())
print("has it a number?", thread.ident is not None, thread.native_id is not None)
print("who asks?", threading.current_thread().name)
print("is that the main thread?", threading.current_thread() is threading.main_thread())
print("how many live?", threading.active_count())
print("which?", sorted(each.name for each in threading.enumerate()))
gate.set()
thread.join(timeout=10)
print("after join:", thread.is_alive())
thread.name = "retired porter"
print("a name may change:", thread.name)
try:
    thread.start()
except RuntimeError as error:
    print("once only:", error)
