"""The messages of parsl.log, every wording since 2021, with a real line above each pattern.

A message is looked up by its first word, those that begin with "Task" by their third, so that a
line costs one look-up and at most a few patterns. Line numbers and function names in record heads
change with every version and are never matched.
"""

from __future__ import annotations

import re

from dnpcsql.importers.wordings import Found

_MESSAGES: tuple[tuple[str, str, str], ...] = (
    # Run id is: cc55368f-7e64-466f-9ce9-19dd3371b141
    ("Run", "run_id", r"Run id is: (\S+)"),
    # Parsl version: 2026.10.26
    ("Parsl", "version", r"Parsl version: (\S+)"),
    # Starting DataFlowKernel with config
    ("Starting", "started", r"Starting DataFlowKernel with config"),
    # Workflow startup information: {'python_version': '3.11.7', …, 'user': 'root', 'host': 'vm'}
    ("Workflow", "workflow_information", r"Workflow (startup|shutdown) information: (\{.*\})"),
    # DFK cleanup initiated
    ("DFK", "cleanup", r"DFK cleanup (initiated|complete)"),
    # Unregistering log handler     (the last line since 2025: "complete" comes too late to be seen)
    ("Unregistering", "cleanup", r"Unregistering log handler()"),
    # Shutting down executor htex_Local_inner
    ("Shutting", "shutting_down", r"Shutting down executor (\S+)"),
    # Adding executor htex of type parsl.executors.high_throughput.executor.HighThroughputExecutor
    ("Adding", "executor", r"Adding executor (.+) of type (\S+)"),
    # Task 0 will be sent to executor htex
    ("will", "chosen", r"Task (\d+) will be sent to executor (.+)"),
    # Task 26 submitted for App work, waiting on task 25, task 3
    # Task 0 submitted for App work, not waiting on any dependency
    ("submitted", "submitted", r"Task (\d+) submitted for App (.+?), ((?:not )?waiting on .*)"),
    # Task 0 initializing state to pending
    ("initializing", "initial", r"Task (\d+) initializing state to (\w+)"),
    # Task 0 set to pending state with AppFuture: <AppFuture at 0x7fe570bd5ed0 state=pending>
    ("set", "initial", r"Task (\d+) set to (\w+) state with AppFuture: .*"),
    # Task 33 changing state from fail_retryable to pending
    ("changing", "changed", r"Task (\d+) changing state from (\w+) to (\w+)"),
    # Parsl task 0 try 0 launched on executor htex with executor id 1
    # Parsl task 45 try 0 launched on executor threads
    (
        "Parsl",
        "launched",
        r"Parsl task (\d+) try (\d+) launched on executor (.+?)(?: with executor id (\d+))?",
    ),
    # Task 0 launched on executor htex_Local     (1.2.0)
    ("launched", "launched_then", r"Task (\d+) launched on executor (.+)"),
    # Task 33 try 0 failed with exception of type ValueError
    # Task 33 try 0 failed     (to 2024-01)
    ("try", "try_failed", r"Task (\d+) try (\d+) failed(?: with exception of type (.+))?"),
    # Task 33 marked for retry     (to 2026-04)
    ("marked", "retried", r"Task (\d+) marked for retry"),
    # Task 33 failed after 2 retry attempts
    ("failed", "gave_up", r"Task (\d+) failed after (\d+) retry attempts"),
    # Task 35 failed due to dependency failure so skipping retries
    (
        "failed",
        "dependency_failed",
        r"Task (\d+) failed due to dependency failure so skipping retries",
    ),
    # Task 0 completed (launched -> exec_done)     (to 2026-04)
    ("completed", "completed", r"Task (\d+) completed \((\w+) -> (\w+)\)"),
    # Reraising exception of type <class 'parsl.app.errors.BashExitFailure'>
    ("Reraising", "reraised", r"Reraising exception of type <class '(.+)'>"),
    # [Scaling executor htex] Launched block 0 with job ID 16795
    (
        "[Scaling",
        "block_launched_now",
        r"\[Scaling executor (.+?)\] Launched block (\S+) with job ID (.+)",
    ),
    # [Scaling executor htex] Strategizing for executor
    ("[Scaling", "scaling", r"\[Scaling executor (.+?)\] .*"),
    # Launched block 0 on executor htex with job ID 20830     (2022-07 to 2025)
    (
        "Launched",
        "block_launched",
        r"Launched block (\S+) on executor (.+) with job ID (.+)",
    ),
    # Launched block 0->31762     (1.2.0)
    ("Launched", "block_launched_then", r"Launched block (\S+?)->(\S+)"),
    # Strategizing for executor htex_Local
    ("Strategizing", "scaling", r"Strategizing for executor (.+)"),
    # Scaling in executor htex_Local
    ("Scaling", "scaling", r"Scaling in executor (.+)"),
    # Marking block 0 as SCALED_IN
    ("Marking", "block_marked", r"Marking block (\S+) as (\w+)"),
    # Setting bad state due to exception
    ("Setting", "bad_state", r"Setting bad state due to exception"),
    # Executor task 0 submitted as Work Queue task 1
    # Executor task 0 submitted to Work Queue with Work Queue task id 1     (DESC's branch)
    # Executor task 0 submitted as TaskVine task with id 1
    (
        "Executor",
        "queued",
        r"Executor task (\d+) submitted (?:as|to) (?:Work Queue|TaskVine) [a-zA-Z ]*(\d+)",
    ),
    # Task 0 submitted to WorkQueue with id 1     (to 2022)
    ("submitted", "queued", r"Task (\d+) submitted to WorkQueue with id (\d+)"),
    # Completed Work Queue task 1, executor task 0
    # Completed WorkQueue task 3047, parsl executor task 3046     (to 2023)
    (
        "Completed",
        "queue_completed",
        r"Completed Work ?Queue task (\d+), (?:parsl )?(?:executor )?task (\d+)",
    ),
    # Result queue worker starting
    ("Result", "result_thread", r"Result queue worker starting"),
)

# Messages of which the lines that follow, up to the next record, are a traceback.
WITH_TRACEBACK = frozenset({"gave_up", "bad_state"})

_BY_WORD: dict[str, list[tuple[str, re.Pattern[str]]]] = {}
for _word, _name, _pattern in _MESSAGES:
    _BY_WORD.setdefault(_word, []).append((_name, re.compile(_pattern)))


# The first words of all of the above.
FIRST_WORDS = frozenset({"Task", *(word for word in _BY_WORD if not word.islower())})


def find(word: str, message: str) -> Found | None:
    """What a message of that first word is, and its parts; None if it is none of the above."""
    if word == "Task":
        words = message.split(" ", 3)
        word = words[2] if len(words) > 2 else ""
    for name, pattern in _BY_WORD.get(word, ()):
        match = pattern.fullmatch(message)
        if match is not None:
            return name, match
    return None


# Beginnings, numbers masked, of messages that are left out on purpose: they tell nothing of a
# task's life that others do not tell better. What is neither here nor above is counted as unknown.
KNOWN = (
    "A joinable future", "Acquir", "All references removed",
    "Added output", "Adding executor", "Adding output",
    "Allocated block", "App caching", "Attempting ", "Calculating outstanding", "Chosen listening",
    "Cleaning up non-default", "Closed ", "Closing ", "Considering candidate", "Constructing map",
    "Could not find enough blocks", "Counted N outstanding", "Created ", "Creating ",
    "Done with ", "End of summary", "Executing", "Execution of command", "Executor ",
    "Exiting Collector", "FTPSeparateTaskStaging", "Finished ", "Gathered dep", "Gathering dep",
    "Getting tasks_lock", "Got resource_spec", "Got tasks_lock", "Got worker ports",
    "HTTPSeparateTaskStaging", "Idle time", "Ignoring these kwargs", "Incorrect std",
    "Initializing", "Interchange process started", "Join callback", "Joining", "Launch command",
    "Launching", "Logger", "Making clean copy", "Marking all outstanding", "Monitoring ",
    "No stageout", "NoOpFileStaging", "Normal ending", "Not performing", "Parsl run initializing",
    "Placing executor task", "Polling for", "Popened", "Process N returned", "Pushing function",
    "Queue management", "Received ", "Receiving ", "Replacing app cache", "Requesting ",
    "Result queue worker", "Reusing cached", "Scale in", "Scaling ", "Selected idle", "Sending ",
    "Sent ", "Setting router", "Shut down executor", "Shutting down", "Slot ratio", "Standard ",
    "Started ", "Starting ", "Storing app cache", "Strategy case", "Submitting ",
    "Summary of tasks", "Task N failed due to dependency failure", "Task N had no result",
    "Task N has AppFuture", "Task N has dependency", "Task N has memoization",
    "Task N has outstanding", "Task N is not pending", "Task N using result",
    "Task N will not be memoized", "Tasks in state", "Terminated ", "Terminating ",
    "This strategy does not", "Tracking ", "Unregistered ", "Unregistering ", "Updating Future",
    "Using ", "Waiting for", "Work Queue ", "function data directory", "general strategy",
    "python process is exiting", "stage_in checking", "stage_out checking",
)  # fmt: skip
