"""How English writes dates and times, in the syntax of Django's `date` filter."""

DATE_FORMAT = "j M Y"  # 30 Nov 2026
DATETIME_FORMAT = "j M Y, H:i"  # 30 Nov 2026, 14:05
TIME_FORMAT = "H:i"  # 14:05
CLOCK_FORMAT = "H:i:s"  # 14:05:09
MONTH_DAY_FORMAT = "j M"  # 30 Nov
MONTH_DAY_TIME_FORMAT = "j M, H:i"  # 30 Nov, 14:05
# Where days are the team's, and the reader may be elsewhere.
MONTH_DAY_ZONE_FORMAT = "j M, H:i T"  # 30 Nov, 14:05 CET
DATETIME_ZONE_FORMAT = "j M Y, H:i T"  # 30 Nov 2026, 14:05 CET
YEAR_MONTH_FORMAT = "F Y"  # November 2026
MONTH_FORMAT = "F"  # November
# The headings of days in lists of pictures.
WEEKDAY_FORMAT = "l, j M"  # Monday, 30 Nov
WEEKDAY_YEAR_FORMAT = "l, j M Y"  # Monday, 30 Nov 2026
# Django's forms and back office ask for these two.
SHORT_DATE_FORMAT = DATE_FORMAT
SHORT_DATETIME_FORMAT = DATETIME_FORMAT
FIRST_DAY_OF_WEEK = 1
