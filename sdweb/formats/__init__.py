"""How dates and times are written, for each language: Django's FORMAT_MODULE_PATH.

Templates and code name a format (`{{ day|date:"DATE_FORMAT" }}`) and never write one out.
"""
