"""What a type checker has to refuse: were weft's names untyped, it would not."""

import weft

weft.install(3)  # [arg-type]
weft.threads().append("thread")  # [arg-type]
weft.current().nane  # [attr-defined]
number: int = weft.offload(str, 4)  # [assignment]
weft.set_priority(weft.current(), "high")  # [arg-type]
weft.check(print, tme=1.0)  # [call-arg]
policy: weft.Policy = object()  # [assignment]
weft.nothing  # [attr-defined]
text: str = weft.run(int, "3")  # [assignment]
weft.steer("program.py", order=3)  # [arg-type]
