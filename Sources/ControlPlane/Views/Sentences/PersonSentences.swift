// What is told of people.

import EventLog
import Hosting

enum PersonSentences {
  static let all: [Teller] = [
    Teller(PersonInvited.self) { event, telling in
      "\(telling.subject) was invited as \(event.role.rawValue)."
    },
    Teller(PersonTokenIssued.self) { event, telling in
      "\(telling.subject) made a token (\(event.prefix)…)\(Sentences.until(event.until))."
    },
    Teller(PersonTokenEnded.self) { event, telling in
      let person = telling.before.persons[ID(telling.origin)]
      let token = person?.tokens.first { $0.secret == event.token }
      let how =
        switch event.cause {
        case .revoked: "was revoked"
        case .expired: "ran out"
        }
      return "A token of \(telling.subject) (\(token?.prefix.value ?? "")…) \(how)."
    },
    Teller(PersonForgotten.self) { _, telling in
      "\(telling.stored.stream) was forgotten; none of their tokens is good any more."
    },
    Teller(PersonErased.self) { event, telling in
      "What was kept of \(telling.stored.stream) is gone: their key was destroyed, "
        + "\(Sentences.count(event.snapshots, "snapshot")) and the views were made anew."
    },
    Teller(PersonDisabled.self) { _, telling in
      "\(telling.subject) was disabled; none of their tokens is good any more."
    },
  ]
}
