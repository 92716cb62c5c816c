-- A case, its page, its reason for review and a printed sheet, as revision 0001 holds them; for both engines.

INSERT INTO station VALUES ('A', '', '2026-01-01T00:00:00.000000+00:00');

INSERT INTO drop_box VALUES ('OBL-03', 'A', '', '', TRUE);

INSERT INTO stack (id, station_code, number, box_code, state, assemble, opened_by, closed_by, plan, config_digest,
  opened_at, last_page_at, closed_at, filed_at)
VALUES ('01890000-0000-7000-8000-000000000001', 'A', 1, 'OBL-03', 'filed', 'file', 'scan', 'scan_end', '{}', 'digest',
  '2026-01-01T00:00:00.000000+00:00', '2026-01-01T00:00:00.000000+00:00', '2026-01-01T00:00:00.000000+00:00',
  '2026-01-01T00:00:00.000000+00:00');

INSERT INTO scan (id, station_code, number, box_code, original_name, sha256, size_bytes, file_type, state, page_count,
  document_pages, claimed_at, received_at, assembled_at, finished_at)
VALUES ('01890000-0000-7000-8000-000000000002', 'A', 1, 'OBL-03', 'scan.pdf',
  '0000000000000000000000000000000000000000000000000000000000000000', 1, 'pdf', 'filed', 1, 1,
  '2026-01-01T00:00:00.000000+00:00', '2026-01-01T00:00:00.000000+00:00', '2026-01-01T00:00:00.000000+00:00',
  '2026-01-01T00:00:00.000000+00:00');

INSERT INTO "case" (id, number, box_code, stack_id, ordinal, completeness, missing, held, needs_review, received_on,
  created_at)
VALUES ('01890000-0000-7000-8000-000000000003', 'OBL-03/2026/000001', 'OBL-03',
  '01890000-0000-7000-8000-000000000001', 1, 'undetermined', '[]', FALSE, TRUE, '2026-01-01',
  '2026-01-01T00:00:00.000000+00:00');

INSERT INTO document VALUES ('01890000-0000-7000-8000-000000000004', '01890000-0000-7000-8000-000000000003', 1,
  '1111111111111111111111111111111111111111111111111111111111111111', 1, 1);

INSERT INTO page (scan_id, number, stack_id, position, width, height, rotation, source, dpi, marked, blank, ink,
  fingerprint, codes, disposition, case_id, document_id, page_in_document)
VALUES ('01890000-0000-7000-8000-000000000002', 1, '01890000-0000-7000-8000-000000000001', 1, 595.0, 842.0, 0, 'image',
  300.0, FALSE, FALSE, 0.1, '0000000000000000', '[]', 'document', '01890000-0000-7000-8000-000000000003',
  '01890000-0000-7000-8000-000000000004', 1);

INSERT INTO case_review
VALUES ('01890000-0000-7000-8000-000000000003', 'no_sheet', '01890000-0000-7000-8000-000000000002', 1);

INSERT INTO sheet (serial, series, serial_number, kind, text, providers, document_kinds, meter_serials, sticker,
  order_id, printed_at)
VALUES ('A000001', 'A', 1, 'C', 'SKR1/C', '[]', '[]', '[]', FALSE, '01890000-0000-7000-8000-000000000005',
  '2026-01-01T00:00:00.000000+00:00');
