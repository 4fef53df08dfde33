// `wharf`: the command line. All of it is in the module CLI.

import CLI

@main
struct Main {
  static func main() async { await Wharf.start() }
}
