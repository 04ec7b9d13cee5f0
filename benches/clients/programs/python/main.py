"""httpx, or gRPC: `python main.py httpx|grpcio URL CA MODE SECONDS`."""

import asyncio
import json
import random
import ssl
import sys
import time

LIBRARY, URL, AUTHORITY, MODE, SECONDS = sys.argv[1:]
UPLOAD = MODE == "upload"


async def drip():
    for _ in range(10):
        yield b"x" * 100
        await asyncio.sleep(0.02)


def of_httpx():
    import h2
    import httpx

    trust = ssl.create_default_context(cafile=AUTHORITY)
    client = httpx.AsyncClient(http2=True, verify=trust, trust_env=False, timeout=20)

    async def ask():
        answer = await (client.post(URL, content=drip()) if UPLOAD else client.get(URL))
        if answer.status_code != 200 or answer.http_version != "HTTP/2":
            raise OSError(f"{answer.http_version} {answer.status_code}")

    return f"{httpx.__version__}, h2 {h2.__version__}", ask


def of_grpcio():
    import grpc

    with open(AUTHORITY, "rb") as file:
        trust = grpc.ssl_channel_credentials(file.read())
    channel = grpc.aio.secure_channel(URL, trust)

    async def messages():
        async for _ in drip():
            yield b""

    async def ask():
        call = channel.stream_unary("/test.Test/Ask") if UPLOAD else channel.unary_unary("/test.Test/Ask")
        await call(messages() if UPLOAD else b"", timeout=20)

    return grpc.__version__, ask


async def main():
    version, ask = of_httpx() if LIBRARY == "httpx" else of_grpcio()
    report = {"version": version, "requests": 0, "lost": 0, "why": {}}
    end = time.monotonic() + float(SECONDS)

    async def loop():
        while time.monotonic() < end:
            report["requests"] += 1
            try:
                await ask()
            except Exception as error:
                report["lost"] += 1
                text = str(error).strip()
                why = f"{type(error).__name__}: {text.splitlines()[0] if text else ''}"
                if hasattr(error, "details"):
                    why = f"{error.code()}: {error.details()}"
                report["why"][why] = report["why"].get(why, 0) + 1
                await asyncio.sleep(0.005)
            if MODE == "pause":
                await asyncio.sleep(random.uniform(0.05, 0.5))

    await asyncio.gather(*(loop() for _ in range(8 if MODE == "parallel" else 1)))
    print(json.dumps(report))


asyncio.run(main())
