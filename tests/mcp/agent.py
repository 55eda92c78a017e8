"""A client made with PyPI's `mcp`: connects, lists the tools, calls the named ones, and prints JSON.

    agent.py URL ISSUER CLIENT_ID CLIENT_SECRET TOOL...
"""

import asyncio
import json
import sys

import httpx2
from mcp import ClientSession
from mcp.client.auth.extensions.client_credentials import ClientCredentialsOAuthProvider
from mcp.client.streamable_http import streamable_http_client


class Memory:
    """Keeps the token of this run."""

    def __init__(self):
        self.tokens = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return None

    async def set_client_info(self, client_info):
        pass


async def main(url, issuer, client_id, client_secret, *tools):
    auth = ClientCredentialsOAuthProvider(url, Memory(), client_id, client_secret, issuer=issuer)
    seen = {}
    async with httpx2.AsyncClient(auth=auth, timeout=60) as http:
        async with streamable_http_client(url, http_client=http) as (read, write, *_):
            async with ClientSession(read, write) as session:
                await session.initialize()
                seen["tools"] = [tool.name for tool in (await session.list_tools()).tools]
                for tool in tools:
                    result = await session.call_tool(tool)
                    seen[tool] = result.content[0].text
    print(json.dumps(seen))


asyncio.run(main(*sys.argv[1:]))
