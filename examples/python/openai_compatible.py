import os

# mypy: allow-untyped-defs, allow-untyped-calls
from gptimage import Client as OpenAI


def main():
    client = OpenAI(
        api_key=os.environ["AIMLAPI_KEY"],
        base_url=os.environ["AIMLAPI_BASE_URL"],
    )

    result = client.images.edit(
        model="openai/gpt-image-2",
        image=[
            open("t-rex.png", "rb"),
            open("crown.png", "rb"),
        ],
        prompt="Put the crown on the T-rex's head",
    )

    print(result.model_dump_json(indent=2))


if __name__ == "__main__":
    main()
