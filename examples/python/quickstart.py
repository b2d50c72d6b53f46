"""A picture from words, then a picture from that picture.

The key is in AIMLAPI_KEY. Without one, start an emulator (`gptimage emulator --port 8080`) and set AIMLAPI_KEY=any and
AIMLAPI_BASE_URL=http://127.0.0.1:8080/v1. So it is for all of these programs.
"""

from gptimage import Client


def main() -> None:
    client = Client()
    beach = client.generate("A T-Rex relaxing on a beach", size="1536x1024", save_to="t-rex.png")
    print(beach.image.path, beach.cost)

    crowned = client.edit("Put a crown on the T-Rex's head", image=beach.image, n=3, save_to="crowned.png")
    for image in crowned:
        print(image.path, image.width, image.height)
    print(crowned.cost)


if __name__ == "__main__":
    main()
