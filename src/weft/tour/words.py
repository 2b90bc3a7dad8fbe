"""What the tour says around its chapters, in each of its languages."""

from dataclasses import dataclass

__all__ = ["LANGUAGES", "Words"]


@dataclass(frozen=True)
class Words:
    """Headings and short sentences; those with braces are filled in by `str.format`."""

    title: str
    intro: str
    how: str
    program: str
    prints: str
    prints_on: str
    comma: str
    status: str
    on_models: str
    checked: str
    picture: str
    question: str
    answer: str
    expected: str
    printed: str
    same: str
    different: str
    press: str
    ask: str
    next: str
    last: str
    other_models: str
    listing: str
    overview: str


ENGLISH = Words(
    title="A tour of threads",
    intro="Twenty-seven short chapters, each with a program that runs."
    " All that you need to know is some Python.",
    how="In a terminal `weft tour 21` shows a chapter, runs its program and asks a question; `--model` names"
    " a thread model. The numbers are not the order in which to read: this list is.",
    program="The program",
    prints="What it prints",
    prints_on="On {models}:",
    comma=", ",
    status="It ends with the status {status}.",
    on_models="Runs on: {models}.",
    checked="What the checker says",
    picture="What the threads did, as recorded on the model {model}",
    question="Question",
    answer="Answer",
    expected="expected",
    printed="printed",
    same="Just as expected.",
    different="Not as expected: look where it differs. On a busy machine, run it once more.",
    press="Press Enter for the answer. ",
    ask="The answer: weft tour {number} --answer",
    next="Next: weft tour {number}   {title}",
    last="That was the last chapter. `weft check YOUR_PROGRAM.py` looks for such faults in yours.",
    other_models="The same on another model: weft tour {number} --model {models}",
    listing="`weft tour NUMBER` shows a chapter and runs its program. Begin with 1.",
    overview="All chapters",
)

CHINESE = Words(
    title="线程之旅",
    intro="二十七个短章，每章都有一个能运行的程序。只要会一点 Python 就能读。",
    how="在终端里输入 `weft tour 21`，就会显示那一章，运行它的程序，再提一个问题；用 `--model` 指定线程模型。"
    "编号不是阅读的顺序，请按下面的目录来读。",
    program="程序",
    prints="输出",
    prints_on="在 {models} 上：",
    comma="、",
    status="程序以状态码 {status} 结束。",
    on_models="可用的模型：{models}。",
    checked="检查器怎么说",
    picture="各个线程做了什么（在 {model} 模型上的真实记录）",
    question="问题",
    answer="答案",
    expected="预期输出",
    printed="实际输出",
    same="与预期完全一致。",
    different="与预期不同：请看标出的地方。如果机器正忙，请再运行一次。",
    press="按回车键看答案。",
    ask="看答案：weft tour {number} --answer",
    next="下一章：weft tour {number}   {title}",
    last="这是最后一章。`weft check 你的程序.py` 会在你的程序里寻找这样的毛病。",
    other_models="换一种模型运行：weft tour {number} --model {models}",
    listing="`weft tour 编号` 显示一章并运行它的程序。请从第 1 章开始。",
    overview="全部章节",
)

LANGUAGES = {"en": ENGLISH, "zh": CHINESE}
