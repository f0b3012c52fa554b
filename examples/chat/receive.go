package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1sdk"
	"github.com/game-im/im-grpc-sdk/runtime"
)

// handlers print what arrives. They return nil: whoever reads it has got it.
func handlers(p *printer) imv1sdk.Handlers {
	return imv1sdk.Handlers{
		OnText: func(_ context.Context, m *imv1sdk.TextMessage) error {
			p.said(m.RoomID, sender(m.Envelope), m.Content.GetText())
			return nil
		},
		OnRichText: func(_ context.Context, m *imv1sdk.RichTextMessage) error {
			p.said(m.RoomID, sender(m.Envelope), richText(m))
			return nil
		},
		OnAudio: func(_ context.Context, m *imv1sdk.AudioMessage) error {
			p.said(m.RoomID, sender(m.Envelope), audio(m))
			return nil
		},
		OnSystem: func(_ context.Context, m *imv1sdk.SystemMessage) error {
			p.event(m.RoomID, "the server says: %s", system(m))
			return nil
		},
		OnJoin: func(_ context.Context, m *imv1sdk.JoinMessage) error {
			p.event(m.RoomID, "%s has joined%s", named(m.Envelope), count(m.Content.GetUserCount()))
			return nil
		},
		OnLeave: func(_ context.Context, m *imv1sdk.LeaveMessage) error {
			reason := m.Content.GetReason()
			if reason != "" && reason != "left" {
				reason = " (" + reason + ")"
			} else {
				reason = ""
			}
			p.event(m.RoomID, "%s has left%s%s", named(m.Envelope), reason, count(m.Content.GetUserCount()))
			return nil
		},
		OnInvalid: func(_ context.Context, in *runtime.Incoming) error {
			printInvalid(p, in)
			return nil
		},
	}
}

// printUnknown prints messages of kinds that this program was not built with.
func printUnknown(p *printer) runtime.ReceiveFunc {
	return func(_ context.Context, in *runtime.Incoming) error {
		p.event(in.RoomID, "%s sent a message of kind %d, which this chat does not know (%d bytes)",
			sender(in.Envelope), in.Type, len(in.Raw))
		return nil
	}
}

// printInvalid prints what did not parse or breaks its rules. Older servers send plain text as SYSTEM.
func printInvalid(p *printer, in *runtime.Incoming) {
	if in.Type == imv1sdk.KindSystem.Number && utf8.Valid(in.Raw) {
		p.event(in.RoomID, "the server says: %s", in.Raw)
		return
	}
	var reason strings.Builder
	for _, violation := range runtime.Violations(in.Err) {
		reason.WriteString("\n" + violation.String())
	}
	if reason.Len() == 0 {
		reason.WriteString("\n" + in.Err.Error())
	}
	p.event(in.RoomID, "%s sent an invalid %s (%d bytes):%s", sender(in.Envelope), in.Kind.Name, len(in.Raw), reason.String())
}

func richText(m *imv1sdk.RichTextMessage) string {
	text := m.Content.GetRawContent()
	if text == "" {
		text = m.Content.GetHtmlContent()
	}
	if kind := m.Content.GetContentType(); kind != "" {
		return "(" + kind + ") " + text
	}
	return text
}

func audio(m *imv1sdk.AudioMessage) string {
	about := []string{"audio " + m.Content.GetAudioId()}
	if name := m.Metadata["filename"]; name != "" {
		about = append(about, name)
	}
	if format := m.Content.GetFormat(); format != "" {
		about = append(about, format)
	}
	if duration := m.Content.GetDuration(); duration > 0 {
		about = append(about, fmt.Sprintf("%.1f s", duration))
	}
	if size := m.Content.GetSize(); size > 0 {
		about = append(about, fmt.Sprintf("%d bytes", size))
	}
	if url := m.Content.GetAudioUrl(); url != "" {
		about = append(about, url)
	}
	text := strings.Join(about, ", ")
	if said := m.Content.GetTranscription(); said != "" {
		text += "\n“" + said + "”"
	}
	return text
}

func system(m *imv1sdk.SystemMessage) string {
	data := m.Content.GetEventData()
	words := append(make([]string, 0, 1+len(data)), m.Content.GetEventType())
	for _, key := range slices.Sorted(maps.Keys(data)) {
		words = append(words, key+"="+data[key])
	}
	return strings.Join(words, " ")
}

func sender(about runtime.Envelope) string {
	if about.From == "" {
		return "the server"
	}
	return about.From
}

// named is the sender with the nickname that it joined with.
func named(about runtime.Envelope) string {
	if nickname := about.Metadata["nickname"]; nickname != "" && nickname != about.From {
		return fmt.Sprintf("%s (%s)", sender(about), nickname)
	}
	return sender(about)
}

func count(users int32) string {
	if users <= 0 {
		return ""
	}
	return fmt.Sprintf("; %d here", users)
}
