"""Names of downloaded files: words of the title or prompt in any script, valid on every file system."""

import unicodedata
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generations.library.delivery import responses as delivery_responses
from generations.library.sharing import service as sharing_service
from tests.library.delivery.test_views import address
from tests.library.share_links import path_of

WORDS = {
    "हिन्दी में एक लोमड़ी": "हिन्दी-में-एक-लोमड़ी",  # Hindi: vowel signs, virama, nukta
    "สุนัขจิ้งจอกในน้ำ": "สุนัขจิ้งจอกในน้ำ",  # Thai: vowels above and below, tone marks, AM
    "ஒரு சிவப்பு நரி": "ஒரு-சிவப்பு-நரி",  # Tamil
    "একটি লাল শিয়াল": "একটি-লাল-শিয়াল",  # Bengali
    "ఒక ఎర్ర నక్క": "ఒక-ఎర్ర-నక్క",  # Telugu
    "မြေခွေးနီ": "မြေခွေးနီ",  # Burmese
    "រូបភាព": "រូបភាព",  # Khmer
    "روباه می‌دود": "روباه-می‌دود",  # Persian, with a zero-width non-joiner
    "שָׁלוֹם": "שָׁלוֹם",  # Hebrew with points
    "Ein Füchschen, déjà vu": "ein-füchschen-déjà-vu",
    "Tiếng Việt": "tiếng-việt",
    "狐、きつね と 여우": "狐きつね-と-여우",
    "a fox's tail: 50%": "a-foxs-tail-50",
    "❤️ love 👩‍🚀": "love",
    "../..\\x\0\x1b": "x",
    "con": "picture-con",
    "": "picture",
}


@pytest.mark.parametrize("text", WORDS)
def test_a_name_keeps_the_letters_and_marks_of_every_script(text):
    assert delivery_responses.file_words(text) == unicodedata.normalize("NFC", WORDS[text])


@pytest.mark.parametrize("text", [text for text in WORDS if len(text) > 10])
def test_downloads_and_links_have_that_name(sign_in, member, visitor, make_image, text):
    image = make_image(prompt=text)
    answer = sign_in(member).get(address("download", image, member))
    words = unicodedata.normalize("NFC", WORDS[text])
    assert named(answer) in {quote(f"{words}-7.png"), f"{words}-7.png"}
    type(image).objects.filter(pk=image.pk).update(title=text)
    share = sharing_service.share_image(member=member, image=image.pk)
    assert named(visitor.get(path_of(share, image.pk, "download"))) in {quote(f"{words}.png"), f"{words}.png"}


def named(answer):
    return answer["Content-Disposition"].partition("filename")[2].removeprefix("*=utf-8''").strip('="')


def test_a_long_name_is_not_cut_between_a_letter_and_its_marks():
    assert delivery_responses.file_words("कि" * 200) == "कि" * 30
    assert delivery_responses.file_words("x" + "कि" * 200) == "x" + "कि" * 29
    assert delivery_responses.file_words("𠀀" * 200) == "𠀀" * 45
    assert delivery_responses.file_words("a" + "\u0301\u0323" * 100) == "picture"


@given(st.text(max_size=400))
def test_any_text_becomes_a_valid_name(text):
    words = delivery_responses.file_words(text)
    assert 0 < len(words) <= 70
    assert len(words.encode()) <= 190
    assert not set(words) & set('/\\:*?"<>|.')
    assert not any(unicodedata.category(letter) in {"Cc", "Zl", "Zp", "Zs", "Cs"} for letter in words)
    assert words[0] not in "-_"
    assert words[-1] not in "-_"
