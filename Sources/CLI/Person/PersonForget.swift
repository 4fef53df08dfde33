// `wharf person forget`

import ArgumentParser
import Hosting
import Program
import Time
import Wire

struct PersonForget: CommandVerb {
  static let configuration = CommandConfiguration.verb(
    "forget", "Forget a person: their name, e-mail and words, for ever.",
    example: "wharf person forget ada",
    more: "Nothing of theirs is accepted any more, their key is destroyed, and everything shows "
      + "\(Forgotten.text) in their place, also as of earlier. It cannot be undone. Returns when it is "
      + "done; cut short, it goes on by itself.")

  /// A person who waits longer is told why it may take long.
  private static let patienceSeconds = 1

  @Argument(help: "The person: name, or id as person/17.", transform: Parse.person)
  var person: PersonReference
  @OptionGroup var sending: SendOptions
  @Option(
    help: ArgumentHelp("How long to wait until it is done; 5m when absent.", valueName: "time"),
    transform: Lengths.whole(.seconds, in: 1...WaitOptions.longestSeconds))
  var timeout = Span(WaitOptions.standardSeconds, .seconds)

  func command() -> any Command { ForgetPerson(person: person) }
  var done: String { "forgot \(person)" }

  func run() async throws {
    let client = try Client(sending.connection.connection())
    let began = clocks.now
    let reply = try await say(client)
    guard reply.dryRun != true, let stream = stream(reply) else { return }
    let erased = try await wait(for: stream, since: began, client)
    guard sending.output.isForPeople
    else { return }
    Terminal.say(try Self.text(erased, Elapsed.since(began)))
    let path = "persons/\(stream.description.replacing("/", with: "%2F"))"
    if try await client.read(ItemReply<PersonItem>.self, path).item.inClear == true {
      Terminal.say(
        "what was recorded of \(stream) before format level \(FormatLevel.sealed) is shown nowhere, but "
          + "still stands in the log as it is: see Migrations/ERASURE.md")
    }
  }

  private func stream(_ reply: CommandReply) -> Stream? {
    if case .id(let id) = person { return id.stream }
    return reply.events.first { $0.type == PersonForgotten.type }?.stream
  }

  private func wait(
    for stream: Stream, since began: Clocks.Instant, _ client: Client
  ) async throws -> EventItem {
    var isTold = false
    let deadline = began + timeout.duration
    while true {
      let found = try await client.read(
        ItemsReply<EventItem>.self, "events",
        [("stream", "\(stream)"), ("type", PersonErased.type), ("limit", "1")]
      ).items.first
      if let found { return found }
      let now = clocks.now
      if now >= deadline {
        throw Failure(
          .timedOut, "\(stream) is forgotten, and not yet erased after \(timeout)",
          help:
            "it goes on by itself; wharfd's own log says what it waits for. Look again with: wharf "
            + "person forget \(stream)")
      }
      let patience = began + .seconds(Self.patienceSeconds)
      if !isTold, now >= patience {
        isTold = true
        Terminal.note("waiting until every wharfd knows, and snapshots and views are made anew …")
      }
      // That it is done stands in the log.
      try await clocks.sleep(for: WaitOptions.pause(after: now - began))
      let next = (isTold ? deadline : min(deadline, patience)) - clocks.now
      if next > .zero { try await client.wait(past: client.seen, upTo: next) }
    }
  }

  static func text(_ erased: EventItem, _ elapsed: String) throws -> String {
    let snapshots = try PersonErased(jsonBytes: erased.data.text).snapshots
    let count = snapshots == 1 ? "1 snapshot" : "\(snapshots) snapshots"
    return "erased: key destroyed, \(count) and the views made anew, in \(elapsed)"
  }
}
