// The root of the command line: the nouns and verbs there are, and how a run ends.

import ArgumentParser
import Glibc
import Program
import Up
import Wire

package struct Wharf: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "wharf", abstract: "Host AI models: one log, one command line.",
    discussion: """
      Reads show the state as of now, or of --as-of a position, time or mark. Exit codes: 0 done, \
      1 refused or failed, 2 usage, 3 not reachable, 4 timed out.

      Example: wharf status
      """, version: "wharf \(Program.version)",
    groupedSubcommands: [
      CommandGroup(
        name: "Nouns",
        subcommands: [
          ProviderNoun.self, AgreementNoun.self, EngineNoun.self, ModelNoun.self, TeamNoun.self,
          KeyNoun.self, PersonNoun.self, TokenNoun.self, DeploymentNoun.self, ReplicaNoun.self,
          NodeNoun.self,
          GatewayNoun.self,
        ]),
      CommandGroup(
        name: "The system",
        subcommands: [
          UpCommand.self, DownCommand.self, StatusVerb.self,
          WhyVerb.self, ApplyVerb.self, LoginVerb.self, WhoamiVerb.self,
          CompletionVerb.self,
        ]),
      CommandGroup(
        name: "The log",
        subcommands: [
          HistoryVerb.self, EventsVerb.self, DiffVerb.self, MarkVerb.self, HeadVerb.self,
        ]),
    ])

  package init() {}

  /// Parses the arguments, runs the verb, and ends the process with its exit code.
  package static func start() async -> Never {
    StandardFiles.hold()
    signal(SIGPIPE, SIG_IGN)
    do {
      var command = try parseAsRoot(Program.arguments())
      if var asynchronous = command as? any AsyncParsableCommand {
        try await asynchronous.run()
      } else {
        try command.run()
      }
      Glibc.exit(0)
    } catch let failure as Failure {
      Terminal.note(failure.text)
      Glibc.exit(failure.kind.rawValue)
    } catch let problem as DocumentProblem {
      let failure = Failure(problem)
      Terminal.note(failure.text)
      Glibc.exit(failure.kind.rawValue)
    } catch let code as ExitCode {
      // It has said why itself.
      Glibc.exit(code.rawValue)
    } catch {
      end(with: error)
    }
  }

  /// Help and usage errors are the parser's; its code for wrong usage becomes ours.
  private static func end(with error: any Error) -> Never {
    let unknown = UnknownVerb(in: Program.arguments(), of: Self.self)
    let message = Program.told(unknown?.description ?? fullMessage(for: error))
    switch exitCode(for: error) {
    case .success:
      let help = fullMessage(for: error)
      if !help.isEmpty { Terminal.say(help) }
      Glibc.exit(0)
    case .validationFailure:
      Terminal.note(message)
      Glibc.exit(Failure.Kind.usage.rawValue)
    default:
      Terminal.note("error: \(error)")
      Glibc.exit(Failure.Kind.refused.rawValue)
    }
  }
}
