// `wharf completion`: what a shell needs to complete our commands.

import ArgumentParser

struct CompletionVerb: ParsableCommand {
  static let configuration = CommandConfiguration.verb(
    "completion", "Print the completion script of a shell.",
    example: "wharf completion bash > /etc/bash_completion.d/wharf")

  enum Shell: String, CaseIterable, ExpressibleByArgument { case bash, zsh, fish }

  @Argument(help: "bash, zsh or fish.") var shell: Shell

  func run() {
    let script =
      switch shell {
      case .bash: Wharf.completionScript(for: .bash)
      case .zsh: Wharf.completionScript(for: .zsh)
      case .fish: Wharf.completionScript(for: .fish)
      }
    Terminal.say(script)
  }
}
