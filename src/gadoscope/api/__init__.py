"""The functions of `import gadoscope` for whole runs and headers; the command line calls them too."""
