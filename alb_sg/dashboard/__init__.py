"""An organization's load balancers on one page, and the page's data for programs.

`page_data` turns an observation into the data, `page` renders it as one file, `history` keeps each run as rows, and
`bucket` writes all three to S3.
"""
