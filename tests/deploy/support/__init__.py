"""What the tests of images, manifests and releases share."""
