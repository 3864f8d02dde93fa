"""What `import gadoscope` offers for whole runs and headers; commands call it too."""
