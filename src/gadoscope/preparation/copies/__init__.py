"""Copies of one picture found however they were saved: one answer for splits and for audits."""
