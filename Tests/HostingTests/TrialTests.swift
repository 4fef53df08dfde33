// Deciding one after another, and going on: what plan, batch, dry run and remedies rest on.

import TestKit
import Testing

@testable import Hosting

/// A decider at fault: its second event is about a provider that was never there.
private struct Misjudge: Command {
  static let type = "cargo.misjudge"

  func decide(_ state: HostingState, _ decision: inout Decision) {
    decision.record(MarkPlaced(name: "fault", position: 1), on: .log)
    decision.record(ProviderSuspended(), on: Stream(.provider, 999))
  }

  func write(to json: inout JSONWriter) {
    json.openObject()
    json.closeObject()
  }
}

/// A decider that wants to change as much as it is told to.
private struct Flood: Command {
  static let type = "cargo.flood"
  let count: Int

  func decide(_ state: HostingState, _ decision: inout Decision) {
    for _ in 0..<count { decision.record(CommandNoted(command: "cargo.flood"), on: .log) }
  }

  func write(to json: inout JSONWriter) {
    json.openObject()
    json.closeObject()
  }
}

@Suite struct TrialTests {
  private let now = World.start
  private let admin = Principal.testAdmin

  private func trial(behind commands: (any Command)...) throws -> Trial {
    var trial = Trial(after: HostingState())
    for command in commands { try trial.perform(command, by: admin, now: now) }
    return trial
  }

  private func code(_ trial: inout Trial, _ command: any Command) -> String? {
    do throws(Refusal) {
      try trial.perform(command, by: admin, now: now)
      return nil
    } catch { return error.code }
  }

  @Test func `each is decided on what those before it led to, and stands where it says`() throws {
    var trial = try trial(behind: RegisterProvider(name: "xai"), RegisterProvider(name: "openai"))
    let step = try trial.perform(SuspendProvider(provider: "xai"), by: admin, now: now)
    #expect(
      step.fact(of: 0)
        == Fact(
          position: 3, stream: Stream(.provider, 1), recordedAt: now, actor: admin.actor))
    #expect(trial.state.position == 3)
    #expect(trial.state.providers.named("xai")?.suspendedAt == now)
    #expect(trial.base == HostingState())
  }

  @Test func `it comes to the state that the same commands lead to in a world`() throws {
    var world = World(formatLevel: HostingState().log.formatLevel)
    let commands: [any Command] = [
      RegisterProvider(name: "xai"), SuspendProvider(provider: "xai"),
      ReinstateProvider(provider: "xai"),
    ]
    for command in commands { try world.perform(command, by: admin) }
    var trial = Trial(after: HostingState())
    for command in commands { try trial.perform(command, by: admin, now: now) }
    #expect(trial.state == world.state)
  }

  @Test func `one that is refused leaves it as it was`() throws {
    var trial = try trial(behind: RegisterProvider(name: "xai"))
    let before = trial.state
    #expect(code(&trial, RegisterProvider(name: "XAI")) == "nameTaken")
    #expect(trial.state == before)
  }

  @Test func `of one whose events do not fit nothing is left, and others go on`() throws {
    var trial = try trial(behind: RegisterProvider(name: "xai"), SuspendProvider(provider: "xai"))
    let before = trial.state
    #expect(code(&trial, Misjudge()) == "contradiction")
    #expect(trial.state == before)
    #expect(code(&trial, ReinstateProvider(provider: "xai")) == nil)
    #expect(trial.state.position == 3)
    #expect(trial.state.log.marks.isEmpty)
  }

  @Test func `a command of more events than are found by their first is refused`() throws {
    var trial = try trial()
    let most = Trial.eventsPerCommandLimit
    #expect(code(&trial, Flood(count: most + 1)) == "tooManyEvents")
    #expect(trial.state.position == .empty)
    #expect(code(&trial, Flood(count: most)) == nil)
    #expect(trial.state.position == Position(Int64(most)))
  }

  @Test func `what changes nothing leads to nothing, or is noted where that is asked for`() throws {
    var trial = try trial(behind: RegisterProvider(name: "xai"), SuspendProvider(provider: "xai"))
    let again = SuspendProvider(provider: "xai")
    #expect(try trial.perform(again, by: admin, now: now).events.isEmpty)
    #expect(trial.state.position == 2)
    let noted = try trial.perform(again, by: admin, now: now, notes: true)
    #expect(
      noted.events.map { $0.body as? CommandNoted } == [
        CommandNoted(command: "provider.suspend")
      ])
    #expect(trial.state.position == 3)
  }

  @Test func `times never fall, though the clock does`() throws {
    var trial = try trial(behind: RegisterProvider(name: "xai"))
    let early = now.adding(seconds: -60)
    let step = try trial.perform(RegisterProvider(name: "openai"), by: admin, now: early)
    #expect(step.recordedAt == now)
    #expect(trial.state.recordedAt == now)
  }
}
