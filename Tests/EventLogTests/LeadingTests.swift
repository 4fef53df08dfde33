// What a leader does with commands, without a database, a thread or a clock: given what came and what happened
// to it, what is to be done next, and who is told what.

import Hosting
import Postgres
import Synchronization
import TestKit
import Testing
import Time

@testable import EventLog

@Suite struct LeadingTests {
  /// A leader's commands beside a log that is a value, told in words.
  private struct Desk {
    static let start = TestClock().now
    var leading = Leading(nextBeat: start + .seconds(2))
    var state = HostingState()
    var hash = Chain.origin

    func come(_ names: String..., deadline: Duration = .seconds(10)) -> [PendingCommand] {
      names.map { name in
        let request = CommandRequest(
          id: .random(), command: RegisterProvider(name: Name(known: name)), principal: .tester)
        return PendingCommand(
          request: request, seal: request.seal(Rig.secret), deadline: Self.start + deadline,
          answer: { _ in })
      }
    }

    func decide(_ commands: [PendingCommand], after batch: Batch? = nil) -> Batch {
      Batch(
        commands, after: batch?.state ?? state, hash: batch?.hash ?? hash,
        now: Timestamp(microseconds: 1_000_000), sealing: .nothing)
    }

    mutating func next(after: Duration = .zero, isShort: Bool = false) -> [Leading.Action] {
      leading.next(at: Self.start + after, head: state.position, isShort: isShort)
    }

    /// The next batch, with those that come now where they may.
    mutating func gather(_ joining: [PendingCommand] = []) throws -> Batch {
      guard case .gather(let draft)? = next().last else { throw TestFailure("nothing is gathered") }
      let joined = draft.isOpen ? joining : []
      let batch = leading.takeAhead() ?? decide(draft.commands + joined)
      guard case .append(let sent)? = leading.gathered(batch, joined: joined).last else {
        throw TestFailure("nothing is appended")
      }
      return sent
    }

    mutating func stored(_ batch: Batch) -> [Leading.Action] {
      (state, hash) = (batch.state, batch.hash)
      return leading.appended(.stored, batch)
    }

    var unsettled: [String] { leading.unsettled.map(LeadingTests.name) }
  }

  private static func name(_ pending: PendingCommand) -> String {
    (pending.request.command as? RegisterProvider)?.name.text ?? "?"
  }

  private static func words(_ answer: Leading.Answer) -> String {
    let told =
      switch answer.result {
      case .success(let receipt): "done at \(receipt.position)"
      case .failure(.refused(let refusal, _)): refusal.code
      case .failure(.idUsedOtherwise(let position)): "used at \(position)"
      case .failure(.outcomeUnknown): "unknown"
      case .failure(.unavailable): "unavailable"
      case .failure(.notLeading): "ask another"
      case .failure(let failure): "\(failure)"
      }
    return "\(name(answer.pending)) \(told)"
  }

  private static func accepted(_ batch: Batch) -> String {
    let names = batch.outcomes.compactMap { decided -> String? in
      guard case .accepted = decided.outcome else { return nil }
      return name(decided.pending)
    }
    return names.isEmpty ? "nobody" : names.joined(separator: ", ")
  }

  private func words(_ actions: [Leading.Action]) -> [String] {
    actions.map { action in
      switch action {
      case .answer(let answers): "tell " + answers.map(Self.words).joined(separator: ", ")
      case .confirm(let batch):
        "confirm " + Self.accepted(batch)
      case .beat: "beat"
      case .readOn: "read on"
      case .requireShown: "require what was shown"
      case .readKeys: "read keys"
      case .gather(let draft):
        "gather \(draft.isOpen ? "with" : "without") others"
          + draft.commands.map { " " + Self.name($0) }.joined()
          + (draft.isAhead ? " what was decided" : "")
      case .append(let batch): "append \(batch.rows.count)"
      case .advance(let batch): "advance to \(batch.state.position)"
      case .lookUp(let refused):
        "look up " + refused.map { Self.name($0.pending) }.joined(separator: ", ")
      case .tell(let count, _): "log that \(count) were not stored"
      case .rest(let until): "rest for \(until - Desk.start)"
      }
    }
  }

  @Test func `with nobody there it rests until its next beat, and then beats`() {
    var desk = Desk()
    #expect(words(desk.next()) == ["gather with others"])
    #expect(words(desk.leading.gathered(nil, joined: [])) == ["rest for 2.0 seconds"])
    #expect(words(desk.next(after: .seconds(2))) == ["beat"])
  }

  @Test func `those of a batch are told once the next one is on its way, or before anything else`()
    throws
  {
    var desk = Desk()
    let first = try desk.gather(desk.come("a", "b"))
    #expect(desk.unsettled == ["a", "b"])
    #expect(words(desk.stored(first)) == ["advance to 2"])
    #expect(desk.unsettled == [])
    // One is decided beside it, and on its way: whoever sends it takes those of the first.
    var busy = desk
    let second = desk.decide(desk.come("c"))
    #expect(words(busy.leading.gathered(second, joined: desk.come("c"))) == ["append 1"])
    #expect(busy.leading.takeStored()?.outcomes.count == 2)
    #expect(busy.leading.takeStored() == nil, "they are told once")
    for (isShort, after, then) in [
      (false, Duration.seconds(2), ["beat"]), (true, .zero, ["read on", "require what was shown"]),
      (false, .zero, ["gather with others"]),
    ] {
      var idle = desk
      #expect(words(idle.next(after: after, isShort: isShort)) == ["confirm a, b"] + then)
    }
  }

  @Test func `a refusal is looked up while nobody else waits, and told from the head alone`() throws
  {
    var desk = Desk()
    let batch = try desk.gather(desk.come("a", "A"))
    #expect(words(desk.stored(batch)) == ["advance to 1", "confirm a", "look up A"])
    #expect(desk.unsettled == ["A"], "until it is settled")
    let refused = batch.refused
    var behind = desk
    #expect(
      words(behind.leading.lookedUp(refused, found: [:], isAtHead: false)) == ["read on"])
    #expect(behind.unsettled == ["A"])
    var known = desk
    let receipt = Receipt(events: batch.rows)
    let found = [refused[0].pending.request.id: receipt]
    #expect(
      words(known.leading.lookedUp(refused, found: found, isAtHead: true)) == ["tell A used at 1"])
    #expect(
      words(desk.leading.lookedUp(refused, found: [:], isAtHead: true)) == ["tell A nameTaken"])
    #expect(desk.unsettled == [])
  }

  @Test func `what leads to no row is looked up without an append`() {
    var desk = Desk()
    let commands = desk.come("a")
    let batch = desk.decide(commands)
    desk.state = batch.state
    let again = desk.decide(desk.come("a"))
    #expect(again.rows.isEmpty)
    #expect(
      words(desk.leading.gathered(again, joined: again.outcomes.map(\.pending)))
        == ["confirm nobody", "look up a"])
  }

  @Test(arguments: [true, false])
  func `where another appended it reads on, and decides what it has anew`(isKnown: Bool) throws {
    var desk = Desk()
    let batch = try desk.gather(desk.come("a", "b"))
    let later = desk.come("c")
    desk.leading.decidedAhead(desk.decide(later, after: batch), joined: later)
    let outcome = isKnown ? Leading.Appended.commandKnown : .collided
    #expect(words(desk.leading.appended(outcome, batch)) == ["read on"])
    #expect(desk.unsettled == ["a", "b", "c"])
    // It finds a there, and something of another's.
    let other = desk.decide([batch.outcomes[0].pending] + desk.come("x"))
    (desk.state, desk.hash) = (other.state, other.hash)
    let known = [batch.outcomes[0].pending.request.id: Receipt(events: [other.rows[0]])]
    let answers = desk.leading.found(known, upTo: desk.state.position)
    #expect(answers.map(Self.words) == ["a done at 1"])
    #expect(words(desk.next()) == ["gather with others b c"])
  }

  @Test func `what stands beyond the head is not told of yet`() throws {
    var desk = Desk()
    let batch = try desk.gather(desk.come("a"))
    let known = [batch.outcomes[0].pending.request.id: Receipt(events: batch.rows)]
    #expect(desk.leading.found(known, upTo: .empty).isEmpty)
    #expect(desk.unsettled == ["a"])
  }

  @Test func `keys that others made are read, and all is decided anew`() throws {
    var desk = Desk()
    let batch = try desk.gather(desk.come("a"))
    #expect(words(desk.leading.appended(.keyKnown, batch)) == ["read keys"])
    #expect(words(desk.next()) == ["gather with others a"])
  }

  @Test func `where the database refuses what is in a row, each is tried alone, and nobody joins`()
    throws
  {
    var desk = Desk()
    let batch = try desk.gather(desk.come("a", "b"))
    let error = PostgresError(.server, "too long", attempted: "INSERT", sqlState: "22001")
    #expect(
      words(desk.leading.appended(.rejected(error), batch)) == ["log that 2 were not stored"])
    #expect(words(desk.next()) == ["gather without others a"])
    let first = try desk.gather(desk.come("late"))
    #expect(!desk.leading.mayDecide(aheadOf: first))
    #expect(
      words(desk.leading.appended(.rejected(error), first))
        == ["log that 1 were not stored", "tell a unavailable"])
    #expect(words(desk.next()) == ["gather with others b"])
    _ = desk.stored(try desk.gather())
    #expect(desk.unsettled == [])
    #expect(words(desk.next()) == ["confirm b", "gather with others"])
    let after = try desk.gather(desk.come("c", "d"))
    #expect(desk.leading.mayDecide(aheadOf: after), "what was settled holds up nobody")
  }

  @Test func `what the database cannot store at all is told at once`() throws {
    var desk = Desk()
    let batch = try desk.gather(desk.come("a", "b"))
    let full = PostgresError(.server, "disk full", attempted: "INSERT", sqlState: "53100")
    #expect(
      words(desk.leading.appended(.rejected(full), batch))
        == ["log that 2 were not stored", "tell a unavailable, b unavailable"])
    #expect(desk.unsettled == [])
  }

  @Test func `what was decided ahead goes at once if it is much, and only after what it rests on`()
    throws
  {
    var desk = Desk()
    let batch = try desk.gather(desk.come("a"))
    #expect(desk.leading.mayDecide(aheadOf: batch))
    let few = desk.come("b")
    var many = desk
    desk.leading.decidedAhead(desk.decide(few, after: batch), joined: few)
    #expect(!desk.leading.mayDecide(aheadOf: batch), "those that came meanwhile are first")
    var astray = desk
    #expect(words(desk.stored(batch)) == ["advance to 1"])
    #expect(words(desk.next()) == ["confirm a", "gather with others what was decided"])
    // Another's batch is there in its place.
    astray.state = astray.decide(astray.come("x", "y")).state
    #expect(words(astray.next()) == ["gather with others a b"])

    let crowd = (0..<48).map { "c-\($0)" }.flatMap { many.come($0) }
    many.leading.decidedAhead(many.decide(crowd, after: batch), joined: crowd)
    _ = many.stored(batch)
    #expect(words(many.next()) == ["append 48"])
    #expect(many.leading.takeStored()?.outcomes.count == 1)
  }

  @Test
  func `with the connection only those are told that waited too long, and it is not known what of`()
    throws
  {
    var desk = Desk()
    _ = try desk.gather(desk.come("a") + desk.come("b", deadline: .seconds(60)))
    let told = desk.leading.lost(at: Desk.start + .seconds(10), because: "it went away")
    #expect(told.map(Self.words) == ["a unknown"])
    #expect(desk.unsettled == ["b"])
    #expect(
      desk.leading.ended(.notLeading(address: nil)).map(Self.words) == ["b ask another"])
    #expect(desk.unsettled == [])
  }
}
