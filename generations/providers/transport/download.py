"""placeholder"""


class DownloadFailed(Exception):
    reason = ""
    again = True


def download(url, **options):
    raise DownloadFailed
