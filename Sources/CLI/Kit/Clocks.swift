// The clocks of a command line: they are the machine's, as somebody waits in front of it.

import Time

let clocks = Clocks.system
