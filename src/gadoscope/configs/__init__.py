"""What `gadoscope train` knows by name: configs of the lesson, the default and fine-tuning."""
