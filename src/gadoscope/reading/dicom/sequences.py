"""The sequences that are known by their tags: which are entered, and which are only stepped over."""

from gadoscope.reading.dicom import tags

MAX_CONVERTED_ITEMS = 512
"""Items of a sequence that is decoded, at most: an agent has one to three."""
CONVERTED = frozenset(
    (
        tags.CONTRAST_BOLUS_AGENT_SEQUENCE,
        tags.CONTRAST_BOLUS_ADMINISTRATION_ROUTE_SEQUENCE,
        tags.CONTRAST_BOLUS_INGREDIENT_CODE_SEQUENCE,
        tags.CONTRAST_ADMINISTRATION_PROFILE_SEQUENCE,
        tags.CONTRAST_BOLUS_USAGE_SEQUENCE,
        tags.REAL_WORLD_VALUE_MAPPING_SEQUENCE,
        tags.STRAIN_CODE_SEQUENCE,
        tags.PATIENT_SPECIES_CODE_SEQUENCE,
        tags.PATIENT_BREED_CODE_SEQUENCE,
        tags.ANATOMIC_REGION_SEQUENCE,
    )
)
"""Those that are decoded: agents, ingredients, usage, value maps, regions, and what animal it is."""
NOTICED = frozenset((tags.MODALITY_LUT_SEQUENCE,))
"""Those of which only their presence is asked: they are stepped over, and kept as empty."""
COMMON_SEQUENCES = CONVERTED | frozenset(
    (
        *(0x00080006, 0x00080051, 0x00080096, 0x00081032, 0x00081049, 0x00081052, 0x00081062, 0x00081072),
        *(0x00081084, 0x00081110, 0x00081111, 0x00081115, 0x00081120, 0x00081140, 0x00081199, 0x00081250),
        *(0x00082112, 0x00089121, 0x00089124, 0x00089215, 0x00101002, 0x00120064, 0x00180026, 0x00400008),
        *(0x00400260, 0x00400275, 0x00400555, 0x0040A043, 0x0040A168, 0x0040A170, 0x0040A730, 0x04000550),
        *(0x04000561,),
    )
)
"""Those that classic instances hold besides, and programs write without a length. Where representations are
not written only the dictionary tells a sequence: of one that is not listed pydicom is asked."""
