/** An operation to start from, as a tab of GraphiQL takes it. */
export interface Example {
  readonly query: string;
  /** JSON text. */
  readonly variables?: string;
}

/** What a newcomer finds in GraphiQL: an operation for each thing that people come for. */
export const EXAMPLES: readonly Example[] = [
  {
    query: `# Live: run this, then let Mandrill (or the curl command of the README) post some events.
subscription Engagement {
  eventReceived(types: [open, click]) {
    id
    cursor
    type
    occurredAt
    email
    message {
      subject
      tags
    }
    ... on EngagementEvent {
      location {
        city
        country
      }
      client {
        name
        os
      }
    }
    ... on ClickEvent {
      url
    }
  }
}
`,
  },
  {
    query: `# The newest events of every type. Hand \`head\` to eventReceived(after:) to go on live from here.
query RecentEvents {
  recentEvents(first: 20) {
    nodes {
      id
      type
      name
      receivedAt
      email
      message {
        subject
      }
    }
    pageInfo {
      hasNextPage
      endCursor
    }
    head
  }
}
`,
  },
  {
    query: `# All that happened to the mail of one recipient, newest first. The address is among the variables below.
query RecipientHistory($email: String!, $after: Cursor) {
  recentEvents(email: $email, after: $after) {
    nodes {
      id
      type
      occurredAt
      messageId
      messageState
      message {
        subject
        sentAt
        template
      }
      ... on BounceEvent {
        description
        diag
      }
      ... on RejectEvent {
        reason
      }
      ... on ClickEvent {
        url
      }
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
`,
    variables: `{
  "email": "recipient@example.com"
}
`,
  },
];
