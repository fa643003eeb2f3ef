"""Small logs in the very form of funcX's of August 2022, of one client, endpoint and worker.

Task 7 went the whole way, task 8 raised, task 9's result never came back; one task is another
client's. Times are in seconds after BEGAN.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path

BEGAN = 1659518794
ENDPOINT = "ee4737d1-cb0e-4048-93e7-b69fede8e4e3"
GROUP = "99340f18-7a58-4f85-bea5-915ba16a3ea9"
MANAGER = "0739733c6b92"
SEVEN = "fb0d5bf0-124a-45c5-a1e2-b1b1bbe24d24"
EIGHT = "37a77735-599c-4f8d-90af-37ad6b085884"
NINE = "5b2e4a10-8f0d-4c2b-9b43-3f6c1d2a7e55"
OTHERS = "36a48120-2c9f-4ab4-8dd1-54d51128122d"

TRACEBACK = """Traceback (most recent call last):
  File "funcx_worker.py", line 129, in execute_task
    result = self.call_user_function(task_body)
ValueError: no good"""


def local(after: float) -> str:
    """What the clocks on the walls said, in Madrid."""
    moment = datetime.fromtimestamp(BEGAN + after, timezone(timedelta(hours=2)))
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def client(after: float, message: str) -> str:
    """A line of the client's log."""
    return (
        f"{BEGAN + after:.6f} {local(after)},915 MainProcess-221120 "
        f"MainThread-140308941870912 synthetic_client:57 <module> INFO: {message}"
    )


def own(
    after: float, logger: str, message: str, level: str = "INFO", process: str = "MainProcess-22"
) -> str:
    """A line of the endpoint's, a manager's or a worker's log."""
    return (
        f"{BEGAN + after:.6f} {local(after)} {level} {process} MainThread-140192181061440 "
        f"funcx_endpoint.{logger}:91 start {message}"
    )


def endpoint(after: float, message: str, level: str = "INFO") -> str:
    """A line of the endpoint's process."""
    return own(after, "endpoint.interchange", message, level)


def interchange(after: float, message: str, level: str = "INFO") -> str:
    """A line of the process of the endpoint's executor."""
    logger = "executors.high_throughput.interchange"
    return own(after, logger, message, level, "Executor-Interchange-220177")


def manager(after: float, message: str, level: str = "DEBUG") -> str:
    """A line of a manager's log."""
    logger = "executors.high_throughput.funcx_manager"
    return own(after, logger, message, level, "MainProcess-220192")


def worker(after: float, message: str, level: str = "DEBUG") -> str:
    """A line of a worker's log."""
    logger = "executors.high_throughput.funcx_worker"
    return own(after, logger, message, level, "MainProcess-221142")


CLIENT_LOG = (
    client(0.0, "SYNTHETIC init_client"),
    client(0.1, f"SYNTHETICBIND {GROUP}"),
    client(0.2, "SYNTHETIC submit_start"),
    client(1.0, "FUNC 7 submit"),
    client(1.1, "FUNC 7 submitted"),
    client(1.2, "FUNC 8 submit"),
    client(1.3, "FUNC 8 submitted"),
    client(1.4, "FUNC 9 submit"),
    client(1.5, "FUNC 9 submitted"),
    client(1.6, "Submitting 3 tasks to funcX"),
    client(9.0, "FUNC 7 result_start"),
    client(9.1, "FUNC 7 result_retrieved"),
    client(9.2, f"FUNCREMOTE 7 start {BEGAN + 5}.25"),
    client(9.3, f"FUNCREMOTE 7 end {BEGAN + 6}.5"),
    client(9.4, "FUNCDURATION 7 1.25"),
    client(9.5, f"FUNCBIND 7 {SEVEN}"),
    client(9.6, "FUNC 8 result_start"),
    client(9.7, "FUNC 8 result_retrieved"),
    client(9.8, f"FUNCBIND 8 {EIGHT}"),
    client(9.9, "SYNTHETIC results_end"),
)

ENDPOINT_LOG = (
    endpoint(-90, f"Initializing EndpointInterchange process with Endpoint ID: {ENDPOINT}"),
    endpoint(
        -89,
        "Platform info: {'parsl_v': '1.1.0', 'python_v': '3.8.10', 'hname': 'amber', "
        f"'funcx_endpoint_version': '0.4.0a2', 'registration': '{ENDPOINT}'}}",
    ),
    own(
        -88,
        "endpoint.rabbit_mq.task_queue_subscriber",
        "Connecting to {'connection_url': 'amqps://me:4vVkX_TdSLdA@mq.amazonaws.com:5671'}",
        process="TaskQueueSubscriber-2-220194",
    ),
    interchange(
        2.0,
        f"Registration info for manager b'{MANAGER}': {{'parsl_v': '1.1.0', 'cores': 8, "
        "'block_id': '3', 'hname': 'amber'}",
    ),
    interchange(3.0, f"Received task: {SEVEN}"),
    interchange(3.1, f"Received task: {OTHERS}"),
    interchange(3.2, f"Received task: {EIGHT}"),
    interchange(3.3, f"Sent task {SEVEN} to manager b'{MANAGER}'"),
    interchange(3.4, f"Sent task {OTHERS} to manager b'{MANAGER}'"),
    interchange(3.5, f"Sent task {EIGHT} to manager b'{MANAGER}'"),
    interchange(6.9, "Got 1 result items in batch"),
    endpoint(8.0, f"Passing result to forwarder for task {SEVEN}"),
    endpoint(8.4, f"Passing result to forwarder for task {EIGHT}"),
)

MANAGER_LOG = (
    manager(1.0, f"Manager ID: {MANAGER}", "INFO"),
    manager(1.0, "Block ID: 3", "INFO"),
    manager(1.1, "Manager started", "INFO"),
    manager(1.2, 'Sending registration message: b\'{"block_id": "3", "hname": "amber"}\''),
    manager(4.0, f"Got tasks: ['{SEVEN}', '{EIGHT}'] of 2"),
    manager(4.1, f"Sending task {SEVEN} to b'3'"),
    manager(6.8, f"Sending task {EIGHT} to b'3'"),
)

WORKER_LOG = (
    worker(1.5, "Initializing worker 3", "INFO"),
    worker(1.6, "Waiting for task"),
    worker(5.0, rf"Received task with task_id='{SEVEN}' and msg='b'\x05TID={SEVEN};CID=RAW;376'"),
    worker(5.1, f"executing task task_id='{SEVEN}'"),
    worker(6.6, "Execution completed without exception"),
    worker(6.7, f"task {SEVEN} completed in 1500000000 ns"),
    worker(6.71, "Sending result"),
    worker(7.0, rf"Received task with task_id='{EIGHT}' and msg='b'\x05TID={EIGHT};CID=RAW;376'"),
    worker(7.1, f"executing task task_id='{EIGHT}'"),
    worker(7.2, "Caught an exception while executing user function", "ERROR"),
    *TRACEBACK.split("\n"),
    worker(7.3, f"task {EIGHT} completed in 200000000 ns"),
    worker(7.31, "Sending result"),
    worker(20.0, "Signal handler called with signal 15", "ERROR"),
)


def cloud_record(after: float, name: str, message: str, task_id: str, **more: object) -> str:
    """A record of the service's, as Fluentd packs it."""
    said = {
        "asctime": f"2022-08-03 11:26:{34 + after:06.3f}".replace(".", ","),
        "name": name, "levelname": "INFO", "message": message, "task_id": task_id,
        "task_group_id": GROUP, "endpoint_id": ENDPOINT, "function_id": SEVEN, "user_id": 7,
        **more,
    }  # fmt: skip
    return json.dumps({"log": json.dumps(said) + "\r\n", "stream": "stderr"})


CLOUD = (
    (
        "2022-08-03 09:26:43.300",
        cloud_record(
            8.5, "funcx_websocket_service.server", "dispatched_to_user", SEVEN,
            times={"execution_start": BEGAN + 5.2, "execution_end": BEGAN + 6.6},
        ),
    ),
    ("2022-08-03 09:26:36.000", cloud_record(1.7, "funcx_web_service", "received", SEVEN)),
    (
        "2022-08-03 09:26:36.100",
        cloud_record(2.5, "funcx_forwarder.forwarder", "dispatched_to_endpoint", SEVEN),
    ),
    (
        "2022-08-03 09:26:42.600",
        cloud_record(8.2, "funcx_forwarder.forwarder", "result_enqueued", SEVEN),
    ),
    ("2022-08-03 09:26:43.000", json.dumps({"log": "GET /v2/version 200\n"})),
)  # fmt: skip


def insights_json(rows: object = CLOUD, status: str = "Complete") -> str:
    """As `aws logs get-query-results` writes it."""
    results = [
        [{"field": "@timestamp", "value": time}, {"field": "@message", "value": message},
         {"field": "@ptr", "value": "CnUKNAow"}]
        for time, message in rows  # type: ignore[attr-defined]
    ]  # fmt: skip
    return json.dumps({"status": status, "results": results, "statistics": {"recordsMatched": 5.0}})


def write(place: Path) -> Path:
    """All logs as they lie on their machines, and the service's export."""
    workers = place / "HighThroughputExecutor" / "worker_logs" / MANAGER
    workers.mkdir(parents=True)
    for path, lines in (
        (place / "client.log", CLIENT_LOG),
        (place / "endpoint.log", ENDPOINT_LOG),
        (workers / "manager.log", MANAGER_LOG),
        (workers / "funcx_worker_3.log", WORKER_LOG),
    ):
        path.write_text("".join(f"{line}\n" for line in lines))
    (place / "cloud.json").write_text(insights_json())
    return place
