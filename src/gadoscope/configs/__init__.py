"""What `gadoscope train` knows by name: the lesson's config and the default model's."""
