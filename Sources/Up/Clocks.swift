// The clocks of a system on one machine: they are the machine's, for all that is waited for here are real
// processes.

import Time

let clocks = Clocks.system
