"""The files of the page: HTML, CSS and JavaScript modules, served as they are."""
