import json
import os

import requests


def main():
    response = requests.post(
        os.environ["AIMLAPI_BASE_URL"] + "/images/generations",
        headers={
            "Authorization": "Bearer " + os.environ["AIMLAPI_KEY"],
            "Content-Type": "application/json",
        },
        json={
            "model": "openai/gpt-image-2",
            "prompt": "A T-Rex relaxing on a beach, lying on a sun lounger and wearing sunglasses.",
        },
    )
    data = response.json()
    print(json.dumps(data, indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
