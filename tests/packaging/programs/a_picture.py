"""Makes a picture on an emulator and prints what it is."""

import gptimage

with gptimage.Emulator() as emulator:
    image = emulator.client().generate("A T-Rex relaxing on a beach").image
    print(image.format, image.width, image.height)
