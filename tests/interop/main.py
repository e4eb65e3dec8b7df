"""Drives a running seller with the client classes of the official Python SDK.

Run by `cargo xtask interop`, which starts the agent: main.py URL, with the token in ADCP_TOKEN.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys

import discovery  # noqa: F401  The order of imports is the order of the story.
import buying  # noqa: F401
import refusals  # noqa: F401
from harness import World, run


async def story(url: str, token: str) -> int:
    """Plays the whole story and returns how many checks failed."""
    # The SDK's validator does not check formats, so that "asap" fits both arms of a start time, and it warns.
    logging.getLogger("adcp").setLevel(logging.ERROR)
    world = World(url, token)
    async with world.buyer:
        return await run(world)


if __name__ == "__main__":
    sys.exit(1 if asyncio.run(story(sys.argv[1], os.environ["ADCP_TOKEN"])) else 0)
