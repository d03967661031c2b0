"""What each endpoint draws, in the families of the API: `generate`, `edit`, `upscale` and `control`.

Every function takes an ImageRequest and returns an image, the same for the same request.
"""
