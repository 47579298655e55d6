"""Tells Earshot that a recording exists: where `transcribe.delay(session_id, gcs_path)` stood before.

Run: pip install nats-py, then python publish.py <storage key>
"""

import asyncio
import json
import os
import sys

import nats


async def main() -> None:
    key = sys.argv[1] if len(sys.argv) > 1 else "default/samples/beckett.wav"
    broker = await nats.connect(
        os.environ.get("NATS_URL", "nats://127.0.0.1:4222"),
        # Where users have passwords; `publisher` of our server file hears answers below _INBOX_publisher alone.
        user=os.environ.get("NATS_USER"),
        password=os.environ.get("NATS_PASSWORD"),
        inbox_prefix=os.environ.get("NATS_INBOX_PREFIX", "_INBOX").encode(),
    )

    # Binary mode: the event's attributes are headers, the body is the data. The publisher's id makes repeats harmless.
    ack = await broker.jetstream().publish(
        "uploads.default",
        json.dumps({"uri": key, "session_id": "session-43"}).encode(),
        headers={
            "ce-specversion": "1.0",
            "ce-type": "earshot.recording.uploaded.v1",
            "ce-source": "https://api.example.com/uploads",
            "ce-id": "upload-0002",
            "content-type": "application/json",
        },
    )
    print(f"stored in {ack.stream}")
    await broker.drain()


asyncio.run(main())
