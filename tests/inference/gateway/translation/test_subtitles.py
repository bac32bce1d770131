"""Segments as subtitles."""

from inference.gateway.translation import subtitles

SEGMENTS = [
    {"start": 0.0, "end": 1.25, "text": " Hello,\n\n--> world "},
    {"start": "3599.9996", "end": 3723.5, "text": "Bye."},
]


def test_subrip_numbers_its_cues_and_has_a_comma():
    assert subtitles.srt(SEGMENTS) == (
        "1\n00:00:00,000 --> 00:00:01,250\nHello, -> world\n\n2\n01:00:00,000 --> 01:02:03,500\nBye.\n\n"
    )


def test_webvtt_begins_with_its_name_and_has_a_point():
    assert subtitles.vtt(SEGMENTS[:1]) == "WEBVTT\n\n00:00:00.000 --> 00:00:01.250\nHello, -> world\n\n"
