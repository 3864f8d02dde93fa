"""What an audit measures before training: counts, leaks, copies, and what gives the label away."""
