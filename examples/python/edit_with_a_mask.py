"""Changes a part of a photo, and leaves the rest as it is."""

import sys

from gptimage import Client, Mask


def main() -> None:
    client = Client()
    photo = sys.argv[1] if len(sys.argv) > 1 else client.generate("A lighthouse by the sea", size="1536x1024").image

    # Left, top, right, bottom, in pixels: this is the upper part. Mask.from_array and Mask.from_pil make other shapes.
    sky = Mask.from_boxes(photo, [(0, 0, 1536, 480)])
    print(sky)

    edited = client.edit("A stormy sky", image=photo, mask=sky, size="1536x1024", save_to="storm.png")
    print(edited.image.path, edited.cost)


if __name__ == "__main__":
    main()
