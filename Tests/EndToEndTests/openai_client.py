"""Drives a running gateway with the official `openai` client (pip install openai).

Environment: GATEWAY_URL (http://127.0.0.1:7480/v1), GATEWAY_KEY, CHAT_MODEL; and, each leaving out a
part when it is not set: EMBEDDING_MODEL, UNGRANTED_MODEL (known to the team, not granted),
LIMITED_KEY (a key whose quota of requests a minute is small). Exits 0 when everything held.
"""

import os

import openai

URL = os.environ.get("GATEWAY_URL", "http://127.0.0.1:7480/v1")
KEY = os.environ["GATEWAY_KEY"]
CHAT = os.environ["CHAT_MODEL"]
HELLO = [{"role": "user", "content": "hello"}]


def client(key):
    return openai.OpenAI(base_url=URL, api_key=key, max_retries=0, timeout=60)


def refused(error, call):
    try:
        call()
    except error as caught:
        print(f"ok   {error.__name__}: {caught.code}: {caught.body['message']}")
        return caught
    raise SystemExit(f"FAILED: {error.__name__} was not raised")


def main():
    team = client(KEY)

    names = [model.id for model in team.models.list()]
    assert CHAT in names, names
    assert team.models.retrieve(CHAT).owned_by == CHAT.split("/")[0]
    print("ok   models.list, models.retrieve:", names)

    chat = team.chat.completions.create(model=CHAT, messages=HELLO)
    assert chat.choices[0].message.content and chat.usage.total_tokens > 0
    print("ok   chat:", chat.choices[0].message.content[:60])

    raw = team.chat.completions.with_raw_response.create(model=CHAT, messages=HELLO)
    assert raw.headers["wharf-position"].isdigit() and raw.headers["wharf-attempt"]
    assert raw.parse()._request_id == raw.headers["x-request-id"]
    print("ok   headers: position", raw.headers["wharf-position"], "attempt", raw.headers["wharf-attempt"])

    stream = team.chat.completions.create(
        model=CHAT, messages=HELLO, stream=True, stream_options={"include_usage": True})
    parts = list(stream)
    text = "".join(part.choices[0].delta.content or "" for part in parts if part.choices)
    assert len(parts) > 3 and text and parts[-1].usage.total_tokens > 0
    print(f"ok   stream: {len(parts)} parts:", text[:60])

    if embedding := os.environ.get("EMBEDDING_MODEL"):
        vectors = team.embeddings.create(model=embedding, input=["a cat", "a kitten"]).data
        assert len(vectors) == 2 and len(vectors[0].embedding) > 1
        print("ok   embeddings:", len(vectors[0].embedding), "dimensions")

    wrong = client("sk-nonsense")
    refused(openai.AuthenticationError, lambda: wrong.models.list())
    unknown = CHAT + "-unheard-of"
    refused(
        openai.NotFoundError,
        lambda: team.chat.completions.create(model=unknown, messages=HELLO))
    refused(openai.NotFoundError, lambda: team.models.retrieve(unknown))
    refused(
        openai.BadRequestError,
        lambda: team.chat.completions.create(model=CHAT, messages=[]))

    if ungranted := os.environ.get("UNGRANTED_MODEL"):
        refused(
            openai.PermissionDeniedError,
            lambda: team.chat.completions.create(model=ungranted, messages=HELLO))

    if limited := os.environ.get("LIMITED_KEY"):
        def hurry():
            for _ in range(1000):
                client(limited).chat.completions.create(model=CHAT, messages=HELLO)

        caught = refused(openai.RateLimitError, hurry)
        assert int(caught.response.headers["retry-after"]) > 0
        assert caught.response.headers["x-ratelimit-remaining-requests"] == "0"

    print("all held")


main()
