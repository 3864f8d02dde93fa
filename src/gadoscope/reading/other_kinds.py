"""Known kinds of files that are no input: what they are, by content or by name, and what to do with them.

Two sorts. Some hold data that this version does not read, a scan among them: a PDF, an NRRD volume. The
others are never a scan: the programs, icons and fonts of the viewer on a patient's CD, what a system leaves
in folders. See `no_image` for how content and name decide together.
"""

import re
from dataclasses import dataclass

from gadoscope.errors import RefusedError


@dataclass(frozen=True)
class OtherKind:
    """A kind of file that is known, and not read.

    Attributes
    ----------
    words
        What it is: "an NRRD volume".
    remedy
        What to do with it; empty where its kind is never a scan.
    """

    words: str
    remedy: str = ""

    def refuse(self) -> RefusedError:
        """Return the error that says so."""
        if not self.remedy:
            return RefusedError("other_file", f"this is {self.words}: no scan, and none was expected of it.")
        return RefusedError("unsupported_format", f"this is {self.words}; {self.remedy}.")


def _to_nifti(words: str, program: str) -> OtherKind:
    return OtherKind(words, f"convert it to NIfTI, for example with {program}")


_EXPORT = "export the scans in it as DICOM, NIfTI or PNG"
_UNPACK = "unpack it first"
_SLICE = "save it as PNG"
MINC = _to_nifti("a MINC volume", "mnc2nii")
NETCDF = OtherKind("a NetCDF file", "convert the scan in it to NIfTI")
HDF5 = OtherKind("an HDF5 file", "convert the scan in it to NIfTI")
SQLITE = OtherKind("an SQLite database", _EXPORT)
PARQUET = OtherKind("a Parquet table")
TABLES = (SQLITE, PARQUET)
"""What may be the index of a BIDS data set, if it is named: see `bids.index`."""
_AFNI = _to_nifti("an AFNI volume", "3dAFNItoNIFTI")
_META_IMAGE = _to_nifti("a MetaImage volume", "3D Slicer or ITK-SNAP")
_PAR_REC = _to_nifti("a Philips PAR/REC scan", "dcm2niix")
_BRUKER = _to_nifti("data of a Bruker scanner", "dcm2niix after exporting DICOM")
_RAW = OtherKind("raw data without a header that is read", "export the scan as DICOM or NIfTI")
_WINDOWS_PROGRAM = OtherKind("a program or library of Windows")
_PROGRAM = OtherKind("a program or library")
_FONT = OtherKind("a font")
_ICON = OtherKind("an icon or cursor")
_SOUND = OtherKind("a sound")
_VIDEO = OtherKind("a video", _EXPORT)
_JPEG_2000 = OtherKind("a JPEG 2000 image", _SLICE)
_JPEG_XL = OtherKind("a JPEG XL image", _SLICE)
_HELP = OtherKind("a help file")
_MATLAB = OtherKind("a MATLAB file")
_COMPOUND = OtherKind("an OLE compound file, such as an installer, an old document or Thumbs.db")
_SYSTEM = OtherKind("what a system keeps beside files")
_SETTINGS = OtherKind("settings, a log or a text of another program")
_DATABASE = OtherKind("a database", _EXPORT)
_DOCUMENT = OtherKind("a document", _EXPORT)
_STREAMLINES = OtherKind("streamlines of a tractography")
_SURFACE = OtherKind("a surface, or what is known of its points")
_CERTIFICATE = OtherKind("a certificate or signature")

# What a file begins with. The ones of two bytes ask for more: see `_MARKS`.
_BEGINNINGS: dict[bytes, OtherKind] = {
    b"%PDF": OtherKind("a PDF", _EXPORT),
    b"PK\3\4": OtherKind("a ZIP archive", _UNPACK),
    b"PK\5\6": OtherKind("an empty ZIP archive", _UNPACK),
    b"7z\xbc\xaf\x27\x1c": OtherKind("a 7z archive", _UNPACK),
    b"Rar!\x1a\x07": OtherKind("a RAR archive", _UNPACK),
    b"\xfd7zXZ\0": OtherKind("an XZ archive", _UNPACK),
    b"BZh": OtherKind("a BZip2 archive", _UNPACK),
    b"\x28\xb5\x2f\xfd": OtherKind("a Zstandard archive", _UNPACK),
    b"\x1f\x9d": OtherKind("a file compressed by compress", _UNPACK),
    b"LZIP": OtherKind("an lzip archive", _UNPACK),
    b"SQLite format 3\0": SQLITE,
    b"\0\1\0\0Standard Jet DB": _DATABASE,
    b"\0\1\0\0Standard ACE DB": _DATABASE,
    b"\0\0\0\x0cjP  ": _JPEG_2000,
    b"\xff\x4f\xff\x51": _JPEG_2000,
    b"\0\0\0\x0cJXL ": _JPEG_XL,
    b"\xff\x0a": _JPEG_XL,
    b"8BPS": OtherKind("a Photoshop image", _SLICE),
    b"NRRD": _to_nifti("an NRRD volume", "3D Slicer"),
    b"mrtrix image": _to_nifti("an MRtrix image", "mrconvert"),
    b"MATRIX7": OtherKind("an ECAT volume of PET", _EXPORT),
    b"\x93NUMPY": OtherKind("a NumPy array", "save it as NIfTI"),
    b"OggS": _SOUND,
    b"ID3": _SOUND,
    b"FLV\1": _VIDEO,
    b"\0\0\1\xba": _VIDEO,
    b"\0\0\1\xb3": _VIDEO,
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11": _VIDEO,
    b"\x1a\x45\xdf\xa3": _VIDEO,
    b"MATLAB 5.0 MAT-file": _MATLAB,
    b"MATLAB 7.3 MAT-file": _MATLAB,
    b"\x7fELF": _PROGRAM,
    b"\xfe\xed\xfa\xce": _PROGRAM,
    b"\xfe\xed\xfa\xcf": _PROGRAM,
    b"\xce\xfa\xed\xfe": _PROGRAM,
    b"\xcf\xfa\xed\xfe": _PROGRAM,
    b"\xca\xfe\xba\xbe": _PROGRAM,  # also a class of Java
    b"!<arch>\n": _PROGRAM,
    b"\0asm": _PROGRAM,
    b"\xca\xfe\xd0\x0d": _PROGRAM,  # a packed jar
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": _COMPOUND,
    b"MSCF\0\0\0\0": OtherKind("a cabinet of a Windows installer"),
    b"ISc(": OtherKind("a cabinet of an installer"),
    b"ITSF\3\0\0\0": _HELP,
    b"\x3f\x5f\3\0": _HELP,
    b"L\0\0\0\1\x14\2\0": OtherKind("a shortcut of Windows"),
    b"OTTO\0": _FONT,
    b"ttcf\0": _FONT,
    b"wOFF": _FONT,
    b"wOF2": _FONT,
    b"icns\0": _ICON,
    b"\xd7\xcd\xc6\x9a": OtherKind("a drawing (WMF)", _SLICE),
    b"\0\5\x16\7": _SYSTEM,  # AppleDouble: what macOS keeps of a file in a file beside it
    b"\0\5\x16\0": _SYSTEM,  # AppleSingle
    b"\0\0\0\1Bud1": _SYSTEM,  # .DS_Store
    b"bplist0": OtherKind("a property list of macOS"),
    b"\xde\x12\x04\x95": _SETTINGS,  # gettext's translations
    b"\x95\x04\x12\xde": _SETTINGS,
    b"\x3c\xb8\x64\x18\xca\xef\x9c\x95": _SETTINGS,  # Qt's translations
    b"qres": _SETTINGS,  # Qt's resources
    b"FWS": _VIDEO,
    b"CWS": _VIDEO,
    b"TRACK\0": _STREAMLINES,
    b"mrtrix tracks": _STREAMLINES,
    b"\xff\xff\xfecreated": _SURFACE,  # FreeSurfer's lh.white and the like
    b"RDX3\n": OtherKind("data of R"),
    b"BOMStore": _SYSTEM,
    b"\xda\xda\xfe\xca": _PROGRAM,  # Java's modules
    b"TZif": _SETTINGS,  # time zones
    b"PAR1": PARQUET,
    b"\xfe\xed\xfe\xed": _CERTIFICATE,
}
# What needs more than its first bytes, or is text.
_MARKS: tuple[tuple[re.Pattern[bytes], OtherKind], ...] = (
    (re.compile(rb"CDF[\1\2\5].{0,400}?[xyz]space", re.DOTALL), MINC),
    (re.compile(rb"CDF[\1\2\5]\0", re.DOTALL), NETCDF),
    (re.compile(rb"\x89HDF\r\n\x1a\n.*minc", re.DOTALL), MINC),
    (re.compile(rb"\x89HDF\r\n\x1a\n"), HDF5),
    (re.compile(rb"\s*(?:ObjectType|NDims)\s*=\s*\w"), _META_IMAGE),
    (re.compile(rb"\s*type\s*=\s*(?:string|integer|float)-attribute"), _AFNI),
    (re.compile(rb"\s*#\s*===\s*DATA DESCRIPTION FILE"), _PAR_REC),
    (re.compile(rb"\s*<PRIDE_V5>"), _PAR_REC),
    (re.compile(rb"##TITLE=\s*Parameter List"), _BRUKER),
    (
        re.compile(rb">>> Begin of header <<<"),
        OtherKind("spectroscopy of a Siemens scanner (.rda)", "only images are read"),
    ),
    (re.compile(rb"!INTERFILE"), OtherKind("an Interfile of nuclear medicine", _EXPORT)),
    (
        re.compile(rb"(?:\xef\xbb\xbf)?\s*<\?xml.{0,400}?<(?:!DOCTYPE )?GIFTI", re.DOTALL),
        OtherKind("a GIFTI surface", "give the volume that it was made from"),
    ),
    # FreeSurfer's lh.thickness and the like: points, faces, one value a point.
    (re.compile(rb"\xff\xff\xff.{8}\x00\x00\x00\x01", re.DOTALL), _SURFACE),
    # DER: a long sequence that begins with another, the number of a kind, or PKCS 12's version.
    (re.compile(rb"0\x82..(?:0\x82|\x06\x09|\x02\x01\x03)", re.DOTALL), _CERTIFICATE),
    (re.compile(rb"RIFF....WAVE", re.DOTALL), _SOUND),
    (re.compile(rb"RIFF....AVI ", re.DOTALL), _VIDEO),
    (re.compile(rb"RIFF....ACON", re.DOTALL), _ICON),
    # DOS' old header: the relocations begin at byte 28 or later, for programs of Windows at 64.
    (re.compile(rb"MZ(?=.{0,62}[\0-\x08\x0e-\x1a])", re.DOTALL), _WINDOWS_PROGRAM),
)
_MAX_ICONS, _ICON_ENTRY_BYTES, _ICON_HEADER_BYTES = 64, 16, 6
_MAX_FONT_TABLES = 64

# By the name's suffix, in lower case, where the content says nothing.
_BY_SUFFIX: dict[str, OtherKind] = {
    suffix: kind
    for suffixes, kind in (
        ("exe dll sys ocx drv scr cpl com bpl ax tlb olb mui vxd rll pdb", _WINDOWS_PROGRAM),
        ("so dylib lib a o pyd pyc pyo class jar war dex apk wasm node nib", _PROGRAM),
        ("msi msp msu cab inx", OtherKind("part of an installer")),
        ("iso nrg dmg vhd vmdk toast", OtherKind("the image of a disk", _UNPACK)),
        ("ttf otf ttc woff woff2 eot fon fnt pfb pfm afm", _FONT),
        ("ico cur ani icns", _ICON),
        ("wav mp3 ogg wma aac mid midi flac aiff", _SOUND),
        ("avi mpg mpeg mp4 mov wmv mkv flv swf webm", _VIDEO),
        ("chm hlp cnt gid", _HELP),
        ("mat fig m mlx mexw mexa", _MATLAB),
        ("db lnk url webloc", _SYSTEM),
        (
            "ini inf cfg conf config log txt text rtf md rst html htm xhtml css js jsx ts json xml xsl xslt "
            "dtd xsd yaml yml toml csv tsv properties manifest plist strings lng lang lst bat cmd sh ps py "
            "php vbs reg qm mo po nfo diz msg err trace cat dir lock pid rsp res rc skn pak idx rdf "
            "blockmap asar jsa",
            _SETTINGS,
        ),
        ("mdb accdb sdf ldf mdf dbf sqlite sqlite3", _DATABASE),
        ("pdf doc docx xls xlsx ppt pptx odt ods odp ps eps xps", _DOCUMENT),
        ("cer crt pem pfx p12 sig asc md5 sha1 sha256 p7s jks key", _CERTIFICATE),
        ("trk tck trx tt", _STREAMLINES),
        ("annot stl vtk vtp ply obj gii surf smoothwm inflated pial white thickness curv sulc", _SURFACE),
        ("touch stats lta xfm ctab label", _SETTINGS),
        ("brik", _AFNI),
        ("rec", _PAR_REC),
        ("zraw", _META_IMAGE),
        ("mnc", MINC),
        ("raw bin dat vol sdt", _RAW),
    )
    for suffix in suffixes.split()
}
_BY_NAME = {"2dseq": _BRUKER, "fid": _BRUKER, "ser": _BRUKER, "rawdata.job0": _BRUKER}
_BY_NAME |= {"thumbs.db": _SYSTEM, "ehthumbs.db": _SYSTEM, "desktop.ini": _SYSTEM, ".ds_store": _SYSTEM}
_BY_NAME |= {"icon\r": _SYSTEM, "indexervolumeguid": _SYSTEM}


def find_content_kind(prefix: bytes) -> OtherKind | None:
    """Return what a file's first bytes say it is, if it is one of these kinds."""
    if prefix[4:8] == b"ftyp":
        is_picture = prefix[8:10] in (b"he", b"mi", b"ms", b"av")
        return OtherKind("a HEIF or AVIF image", _SLICE) if is_picture else _VIDEO
    kind = next((kind for beginning, kind in _BEGINNINGS.items() if prefix.startswith(beginning)), None)
    if kind is None:
        kind = next((kind for mark, kind in _MARKS if mark.match(prefix)), None)
    if kind is None and _is_icon(prefix):
        return _ICON
    return _FONT if kind is None and _is_true_type(prefix) else kind


def find_name_kind(name: str) -> OtherKind | None:
    """Return what a file's name says it is, if it is one of these kinds."""
    name = name.lower()
    return _BY_NAME.get(name) or _BY_SUFFIX.get(name.rpartition(".")[2] if "." in name else "")


def _is_icon(prefix: bytes) -> bool:
    """Return whether it is an .ico or .cur, whose first picture lies right behind the table of them."""
    n_icons = int.from_bytes(prefix[4:6], "little")
    first = int.from_bytes(prefix[18:22], "little")
    is_table = prefix[:4] in (b"\0\0\1\0", b"\0\0\2\0") and 1 <= n_icons <= _MAX_ICONS
    return is_table and first == _ICON_HEADER_BYTES + n_icons * _ICON_ENTRY_BYTES


def _is_true_type(prefix: bytes) -> bool:
    """Return whether it is a font: the number of its tables, and the largest power of two below it."""
    n_tables, search_range = (int.from_bytes(prefix[at : at + 2], "big") for at in (4, 6))
    if prefix[:4] not in (b"\0\1\0\0", b"true") or not 1 <= n_tables <= _MAX_FONT_TABLES:
        return False
    return search_range == 16 << (n_tables.bit_length() - 1)  # OpenType, "Table Directory"
