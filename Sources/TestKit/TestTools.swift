// A test that imports the kit has the tools, too.

@_exported import TestTools
