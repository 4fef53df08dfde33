// Agreements: what they allow, and what each clause refuses.

import HashTreeCollections
import TestKit
import Testing

@testable import Hosting

@Suite struct AgreementTests {
  private let now = World.start
  private let registered = given(RegisterProvider(name: "xai"))

  private func terms(
    _ scope: [Workload] = [.inference], _ audiences: [Audience] = [.internal], from: Int = 0,
    until: Int? = 730, notice: Int = 90
  ) -> Terms {
    Terms(
      scope: scope, audiences: audiences, from: now.adding(days: from),
      until: until.map { now.adding(days: $0) }, noticeDays: notice)
  }

  @Test func `an agreement is signed, in a normal form, and only one at a time`() {
    let doubled = terms([.inference, .evaluation, .inference], [.internal, .external])
    let normal = terms([.evaluation, .inference], [.external, .internal])
    let signed = registered.when(SignAgreement(provider: "xai", terms: doubled))
      .then(AgreementSigned(provider: ID(1), terms: normal))
    signed.when(SignAgreement(provider: "xai", terms: doubled)).thenNothing()
    signed.when(SignAgreement(provider: "xai", terms: terms())).thenRefused("agreementExists")
    given().when(SignAgreement(provider: "x", terms: terms())).thenRefused("unknownProvider")
  }

  @Test func `terms that allow nothing or never end well are refused`() {
    let sign = { (terms: Terms) in SignAgreement(provider: "xai", terms: terms) }
    registered.when(sign(terms([]))).thenRefused("emptyTerms")
    registered.when(sign(terms(.init(), []))).thenRefused("emptyTerms")
    registered.when(sign(terms(from: 10, until: 10))).thenRefused("emptyTerms")
    registered.when(sign(terms(notice: -1))).thenRefused("noticeOutOfRange")
    registered.when(sign(terms(notice: 3_651))).thenRefused("noticeOutOfRange")
  }

  @Test func `nothing ends in the past, nor was it signed to`() {
    let signed = registered.and(SignAgreement(provider: "xai", terms: terms(from: -30)))
    let amend = { (days: Int) in
      AmendAgreement(
        provider: "xai", scope: nil, audiences: nil, until: self.now.adding(days: days),
        noticeDays: nil)
    }
    signed.when(amend(-1)).thenRefused("backdated", saying: "wharf agreement terminate xai")
    signed.when(amend(0)).thenRefused("backdated")
    signed.when(amend(1)).then(AgreementAmended(terms: terms(from: -30, until: 1)))
    registered.when(SignAgreement(provider: "xai", terms: terms(from: -30, until: -1)))
      .thenRefused("backdated")
    registered.when(SignAgreement(provider: "xai", terms: terms(from: -30, until: 0)))
      .thenRefused("backdated")
  }

  @Test func `a new agreement can follow one that ended`() {
    let ended = registered.and(SignAgreement(provider: "xai", terms: terms(until: 10))).passed(
      days: 10)
    ended.when(SignAgreement(provider: "xai", terms: terms(from: 10)))
      .then(AgreementSigned(provider: ID(1), terms: terms(from: 10)))
  }

  @Test func `amending changes what is named and leaves the rest`() {
    let signed = registered.and(SignAgreement(provider: "xai", terms: terms()))
    let amend = AmendAgreement(
      provider: "xai", scope: [.training, .inference], audiences: nil, until: nil, noticeDays: 30)
    signed.when(amend).then(AgreementAmended(terms: terms([.inference, .training], notice: 30)))
      .when(amend).thenNothing()
    registered.when(amend).thenRefused("noAgreement")
    signed.passed(days: 730).when(amend).thenRefused("noAgreement")
    signed.when(
      AmendAgreement(provider: "xai", scope: [], audiences: nil, until: nil, noticeDays: nil)
    ).thenRefused("emptyTerms")
  }

  @Test func `termination ends all after the notice, or on a named date, never in the past`() {
    let signed = registered.and(SignAgreement(provider: "xai", terms: terms()))
    signed.when(TerminateAgreement(provider: "xai", end: nil))
      .then(AgreementTerminated(end: now.adding(days: 90)))
    signed.when(TerminateAgreement(provider: "xai", end: now.adding(days: 5)))
      .then(AgreementTerminated(end: now.adding(days: 5)))
      .when(TerminateAgreement(provider: "xai", end: now.adding(days: 5))).thenNothing()
    signed.when(TerminateAgreement(provider: "xai", end: now.adding(days: -1))).thenRefused(
      "backdated")
    signed.when(TerminateAgreement(provider: "xai", end: now.adding(days: 9_000)))
      .then(AgreementTerminated(end: now.adding(days: 730)))
    registered.when(TerminateAgreement(provider: "xai", end: nil)).thenRefused("noAgreement")
  }

  @Test func `the end is noted once it came, by wharfd alone`() {
    let signed = registered.and(SignAgreement(provider: "xai", terms: terms(until: 10)))
    let end = EndAgreement(agreement: signed.world.agreement)
    signed.passed(days: 9).when(end, by: .wharfd).thenNothing()
    signed.passed(days: 10).when(end, by: .wharfd).then(AgreementEnded())
      .when(end, by: .wharfd).thenNothing()
    signed.passed(days: 10).when(end).thenRefused("notAllowed")
    signed.when(EndAgreement(agreement: ID(99)), by: .wharfd).thenNothing()
  }

  /// Whether this changes what the agent of n1 is told, which runs xai's replicas; of n2, which runs
  /// none of them.
  private func changes(_ before: Given, _ commands: [any Command]) throws -> (n1: Bool, n2: Bool) {
    func generations(_ given: Given) throws -> [Position] {
      try (["n1", "n2"] as [Name]).map {
        try #require(given.world.state.nodes.named($0)).generation
      }
    }
    let after = before.and(commands)
    let (old, new) = (try generations(before), try generations(after))
    if old[0] != new[0] { #expect(new[0] == after.world.state.position) }
    return (old[0] != new[0], old[1] != new[1])
  }

  @Test func `agents that run something of a provider are told when the agreement's end moves`()
    throws
  {
    let placed = Given.placed.with { try $0.addNode("n2") }
    let notice = [TerminateAgreement(provider: "xai", end: nil)]
    #expect(try changes(placed, notice) == (true, false), "its end comes nearer")
    let later = AmendAgreement(
      provider: "xai", scope: nil, audiences: nil, until: now.adding(days: 900), noticeDays: nil)
    #expect(try changes(placed, [later]) == (true, false), "its end moves away")
    let ended = placed.passed(days: 730)
    let anew = [SignAgreement(provider: "xai", terms: terms(from: 730, until: 2_000))]
    #expect(try changes(ended, anew) == (true, false), "another takes its place")
    let wider = AmendAgreement(
      provider: "xai", scope: [.inference, .training], audiences: nil, until: nil, noticeDays: nil)
    #expect(try changes(placed, [wider]) == (false, false), "an agent has no use for the rest")
  }

  // What an agreement allows, asked through a deployment.

  private func deploy(_ workload: Workload? = nil) -> CreateDeployment {
    CreateDeployment(name: "d", model: "xai/grok:1", replicas: 1, workload: workload)
  }

  @Test func `training is refused, and the clause is named`() {
    Given.model.when(deploy(.training))
      .thenRefused(
        "workloadNotInScope", saying: "the clause 'scope: inference' of agreement/2 with xai")
  }

  @Test func `nothing begins while the provider is suspended`() {
    Given.model.and(SuspendProvider(provider: "xai")).when(deploy())
      .thenRefused("providerSuspended", saying: "wharf provider reinstate xai")
  }

  @Test func `nothing begins once notice was given, nor after the end`() {
    let terminated = Given.model.and(TerminateAgreement(provider: "xai", end: nil))
    terminated.when(deploy()).thenRefused("agreementTerminated", saying: "2025-08-30")
    terminated.passed(days: 90).when(deploy()).thenRefused("noAgreement")
    Given.model.passed(days: 730).when(deploy()).thenRefused("noAgreement")
  }

  @Test func `nothing begins before the agreement is in force`() {
    registered.and(SignAgreement(provider: "xai", terms: terms(from: 10)))
      .when(OnboardModel(model: "xai/grok", task: .chat, contextLength: nil))
      .thenRefused("agreementNotYetInForce", saying: "2025-06-11")
  }
}
