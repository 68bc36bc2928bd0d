"""The organization's load balancers on one page, and the data of it for programs.

`observation` is what a source has to say; `data` turns it into what the page shows; `page` renders that as one file.
"""
