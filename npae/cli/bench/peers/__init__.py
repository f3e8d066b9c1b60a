"""The same models in other libraries; each module needs one library and is imported only by its worker."""
