// What is told of people.

import Hosting

enum PersonSentences {
  static let all: [Teller] = [
    Teller(PersonInvited.self) { event, telling in
      "\(telling.subject) was invited as \(event.role.rawValue)."
    },
    Teller(PersonTokenIssued.self) { event, telling in
      "\(telling.subject) made a token (\(event.prefix)…)."
    },
    Teller(PersonDisabled.self) { _, telling in
      "\(telling.subject) was disabled; none of their tokens is good any more."
    },
  ]
}
