// People: invited, active, disabled; and never without an admin.

import HashTreeCollections
import TestKit
import Testing

@testable import Hosting

@Suite struct PersonTests {
  private let now = World.start
  private let first = given(
    AdmitFirstAdmin(name: "ann", token: .numbered(1), prefix: "wt_ann"), by: .wharfd)

  private func invite(_ name: Name, _ role: Role, _ secret: Int) -> InvitePerson {
    InvitePerson(name: name, role: role, invitation: .numbered(secret))
  }

  private func accept(_ secret: Int) -> AcceptInvitation {
    AcceptInvitation(token: .numbered(secret), prefix: "wt_bob")
  }

  private func invited(_ given: Given) -> Principal {
    Principal(
      actor: .of(given.world.state.persons.named("bob")?.id.stream ?? .log), role: .invited)
  }

  @Test func `the first admin is admitted to an empty log only`() {
    given().when(AdmitFirstAdmin(name: "ann", token: .numbered(1), prefix: "wt_ann"), by: .wharfd)
      .then(
        PersonInvited(name: .known("ann"), role: .admin, invitation: .numbered(1), until: now),
        PersonTokenIssued(token: .numbered(1), prefix: "wt_ann", name: .known("first"))
      ).when(AdmitFirstAdmin(name: "eve", token: .numbered(2), prefix: "wt_eve"), by: .wharfd)
      .thenRefused("notFirst")
    let principal = first.world.state.principal(presenting: .numbered(1), now: now)
    #expect(
      principal
        == Principal(actor: .of(Stream(.person, 1)), role: .admin, credential: .numbered(1)))
  }

  @Test func `an invitation becomes a token once, and within its time`() {
    let invitation = first.when(invite("bob", .operator, 2))
      .then(
        PersonInvited(
          name: .known("bob"), role: .operator, invitation: .numbered(2),
          until: now.adding(seconds: 72 * 3_600)))
    let bob = invited(invitation)
    let accepted = invitation.when(accept(3), by: bob)
      .then(PersonTokenIssued(token: .numbered(3), prefix: "wt_bob", name: .known("login")))
    accepted.when(accept(4), by: bob).thenRefused("invitationSpent")
    invitation.when(accept(1), by: bob).thenRefused("secretInUse")
    invitation.passed(days: 3).when(accept(3), by: bob).thenRefused("invitationSpent")
    #expect(accepted.world.state.credentials[.numbered(2)] == nil)
    #expect(accepted.world.state.principal(presenting: .numbered(3), now: now)?.role == .operator)
  }

  @Test func `only an admin invites, only to roles of people, with an unused secret`() {
    first.when(invite("bob", .agent, 2)).thenRefused("roleNotForPeople")
    first.when(invite("bob", .viewer, 1)).thenRefused("secretInUse")
    first.when(invite("bob", .viewer, 2), by: Principal(actor: .wharfd, role: .operator))
      .thenRefused("notAllowed")
  }

  @Test func `an invitation that was replaced is dead, and so is that of a disabled person`() {
    let replaced = first.and(invite("bob", .operator, 2), invite("bob", .viewer, 3))
    let stale = Principal(
      actor: invited(replaced).actor, role: .invited, credential: .numbered(2))
    #expect(replaced.world.state.principal(presenting: .numbered(2), now: now) == nil)
    replaced.when(accept(4), by: stale).thenRefused("credentialEnded", saying: "replaced")
    let current = Principal(
      actor: invited(replaced).actor, role: .invited, credential: .numbered(3))
    replaced.when(accept(4), by: current)
      .then(PersonTokenIssued(token: .numbered(4), prefix: "wt_bob", name: .known("login")))
    replaced.and(DisablePerson(name: "bob")).when(accept(4), by: current)
      .thenRefused("credentialEnded")
  }

  @Test func `an admin whose every token ends does not stand in for the last one`() {
    let invitation = first.and(invite("bob", .admin, 2))
    let brief = invitation.and(
      AcceptInvitation(token: .numbered(3), prefix: "wt_bob", validHours: 24),
      by: invited(invitation))
    brief.when(DisablePerson(name: "ann")).thenRefused("lastAdmin", saying: "does not end")
  }

  @Test func `the last admin stays`() {
    first.when(DisablePerson(name: "ann")).thenRefused("lastAdmin")
    first.when(invite("ann", .viewer, 2)).thenRefused("lastAdmin")
    let invitation = first.and(invite("bob", .admin, 2))
    // Bob has not accepted yet, and may never do so.
    invitation.when(DisablePerson(name: "ann")).thenRefused("lastAdmin")
    let two = invitation.and(accept(3), by: invited(invitation))
    two.when(DisablePerson(name: "ann")).then(PersonDisabled())
  }

  @Test func `nothing of a disabled person is accepted, until invited anew`() {
    let invitation = first.and(invite("bob", .operator, 2))
    let active = invitation.and(accept(3), by: invited(invitation))
    let disabled = active.when(DisablePerson(name: "bob")).then(PersonDisabled())
    #expect(disabled.world.state.principal(presenting: .numbered(3), now: now) == nil)
    disabled.when(DisablePerson(name: "bob")).thenNothing()
    disabled.when(accept(4), by: invited(disabled)).thenRefused("invitationSpent")
    let again = disabled.and(invite("bob", .viewer, 5))
    #expect(again.world.state.persons.named("bob")?.status == .invited)
    first.when(DisablePerson(name: "eve")).thenRefused("unknownPerson")
  }
}
