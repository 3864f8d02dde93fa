"""What lies beside scans and is none: programs, icons, fonts and the like, as their first bytes."""

import struct

import numpy as np

NOISE = b"\x01\x00" + np.random.default_rng(5).bytes(3000)
"""Bytes that are nothing known, as encrypted or damaged files are."""
ICON = struct.pack("<HHHBBBBHHII", 0, 1, 1, 32, 32, 0, 0, 1, 32, 4264, 22) + bytes(99)
FONT = b"\0\1\0\0" + struct.pack(">HHHH", 17, 256, 4, 16) + b"DSIG" + bytes(99)
CONTENTS = {
    "a program or library of Windows": b"MZ\x90\0\3\0\0\0\4\0\0\0\xff\xff" + bytes(99),
    "a program or library": b"\x7fELF\2\1\1" + bytes(99),
    "an OLE compound file": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(99),
    "an icon or cursor": ICON,
    "a font": FONT,
    "a help file": b"ITSF\3\0\0\0" + bytes(99),
    "a cabinet": b"MSCF\0\0\0\0" + bytes(99),
    "a shortcut of Windows": b"L\0\0\0\1\x14\2\0" + bytes(99),
    "what a system keeps beside files": b"\0\5\x16\7\0\2\0\0" + b"Mac OS X        " + bytes(99),
    "a MATLAB file": b"MATLAB 5.0 MAT-file, Platform: PCWIN" + bytes(99),
    "streamlines of a tractography": b"TRACK\0" + bytes(990),
    "a surface": b"\xff\xff\xfecreated by nobody on a day\n\n" + bytes(99),
    "a certificate": b"0\x82\x04\xf10\x82\x03\xd9" + bytes(99),
    "a sound": b"RIFF\x24\0\0\0WAVEfmt " + bytes(99),
}
