"""A timeline as one page of HTML that needs nothing else: what a person looks at.

`facts` turns a picture into plain data, `render` puts it into the page with its style and its scripts. What
draws is in the browser: `model.js` unpacks the data, `view.js` draws lanes, `tables.js` fills the tables,
and `page.js` has what a person does.
"""
